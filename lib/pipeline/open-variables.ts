import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { describe } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { isEncrypted } from './encrypted.ts';

/** The variables of a Kustomization outside of a reconcile, where some may not be known. */
export interface OpenVariables {
  values: Record<string, string>;
  /** Values that came from Secrets. */
  secrets: string[];
  /** ConfigMaps and Secrets that could not be read and are not optional: `ConfigMap/flux-system/settings`. */
  missing: string[];
  /**
   * The Kustomization and variables to render with: where some are not known, what they would replace stays as it is.
   * @param build renders without substitution, to see which variables there are
   */
  complete(
    object: Kustomization,
    build: (
      object: Kustomization,
      values: Record<string, string>,
    ) => Promise<{ objects: readonly KubernetesObject[] }>,
  ): Promise<{ kustomization: Kustomization; variables: Record<string, string> }>;
}

/** A variable without a default; `$${` is an escaped one. */
const VARIABLE = /(?<!\$)\$\{([_a-zA-Z][_a-zA-Z0-9]*)(?![_a-zA-Z0-9]|:?[-=])/g;

/**
 * Gathers the variables of `postBuild`, first from what the same tree brings, then from the live cluster.
 * @param find an object of the tree
 * @param options `last`: nothing more will be found in the tree; `lookUp`: reads the live cluster
 * @returns undefined when an object is not in the tree yet, and may still come
 */
export async function openVariables(
  object: Kustomization,
  find: (ref: ObjectRef) => KubernetesObject | undefined,
  options: { last: boolean; lookUp?: (ref: ObjectRef) => Promise<KubernetesObject | undefined> },
): Promise<OpenVariables | undefined> {
  const { substituteFrom = [], substitute = {} } = object.spec.postBuild ?? {};
  const namespace = object.metadata.namespace ?? '';
  const gathered: Record<string, string> = {};
  const secrets: string[] = [];
  const missing: string[] = [];
  for (const { kind, name, optional } of substituteFrom) {
    const ref = { group: '', version: 'v1', kind, namespace, name };
    const local = find(ref);
    if (!local && !options.last) return undefined;
    // An encrypted Secret says nothing, but the live one may.
    const usable = local && !isEncrypted(local) ? local : undefined;
    const found = usable ?? (await options.lookUp?.(ref));
    if (found) {
      const data = dataOf(found);
      Object.assign(gathered, data);
      if (kind === 'Secret') secrets.push(...Object.values(data));
    } else if (local || !optional) missing.push(describe(ref));
  }
  const values = { ...gathered, ...substitute };
  return {
    values,
    secrets,
    missing,
    async complete(kustomization, build) {
      if (missing.length === 0) return { kustomization, variables: values };
      const { postBuild: _none, ...spec } = kustomization.spec;
      const { objects } = await build({ ...kustomization, spec }, {});
      const names = [...JSON.stringify(objects).matchAll(VARIABLE)].map(([, name]) => name as string);
      const open = Object.fromEntries(names.map((name) => [name, `\${${name}}`]));
      const postBuild = { ...kustomization.spec.postBuild, substituteStrategy: 'Always' as const };
      return {
        kustomization: { ...kustomization, spec: { ...kustomization.spec, postBuild } },
        variables: { ...open, ...values },
      };
    },
  };
}

function dataOf(object: KubernetesObject): Record<string, string> {
  const { data = {}, stringData = {} } = object as {
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  if (object.kind !== 'Secret') return data;
  const decoded = Object.entries(data).map(([key, value]) => [
    key,
    Buffer.from(value, 'base64').toString('utf8'),
  ]);
  return { ...Object.fromEntries(decoded), ...stringData };
}
