import type { KubernetesObject } from '../core/object.ts';
import { SUBSTITUTE } from './annotations.ts';
import type { ToolkitKind } from './kind.ts';
import { objectSchema } from './object-schema.ts';
import { kinds } from './registry.ts';

/**
 * The CustomResourceDefinitions of all reconciled kinds, made from their schemas: what `kubectl get`, `kubectl explain`, the flux
 * CLI and k9s know of them. Names, columns, defaults and rules are the Toolkit's own, so that it does not matter who installed them.
 */
export function customResourceDefinitions(): KubernetesObject[] {
  return kinds.map(customResourceDefinition);
}

/** The name of the CustomResourceDefinition of a kind: `<plural>.<group>`. */
export function crdNameOf(kind: Pick<ToolkitKind, 'plural' | 'group'>): string {
  return `${kind.plural}.${kind.group}`;
}

function customResourceDefinition(kind: ToolkitKind): KubernetesObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: crdNameOf(kind),
      // Descriptions may contain text that looks like a variable.
      annotations: { [SUBSTITUTE]: 'disabled' },
      labels: { 'app.kubernetes.io/managed-by': 'slipway' },
    },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [...kind.shortNames],
        categories: [...kind.categories],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          additionalPrinterColumns: kind.columns.map((column) => ({ ...column })),
          schema: { openAPIV3Schema: objectSchema(kind) },
          subresources: { status: {} },
        },
      ],
    },
  };
}
