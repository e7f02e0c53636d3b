import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Run } from './run.ts';

/** What a render may substitute: nothing when substitution is off, which differs from having no variables. */
export type Variables = Record<string, string>;

/**
 * The variables of `postBuild`: ConfigMaps and Secrets of the object's own namespace, later ones over earlier ones, and the
 * inline ones over all.
 * @throws ReconcileError `BuildFailed` (retry) naming a ConfigMap or Secret that is missing and not optional
 */
export async function variablesOf(run: Run, object: Kustomization): Promise<Variables> {
  const { substituteFrom = [], substitute = {} } = object.spec.postBuild ?? {};
  const namespace = object.metadata.namespace ?? '';
  const variables: Variables = {};
  for (const { kind, name, optional } of substituteFrom) {
    const found = await run.client.get<KubernetesObject & { data?: Record<string, string> }>({
      group: '',
      version: 'v1',
      kind,
      namespace,
      name,
    });
    if (!found) {
      if (optional) continue;
      throw new ReconcileError(
        'BuildFailed',
        `${kind}/${namespace}/${name}, which postBuild.substituteFrom of ${describe(run.ref)} names, does not exist; create it or mark it optional`,
        { outcome: 'retry' },
      );
    }
    for (const [key, value] of Object.entries(found.data ?? {})) {
      const text = kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
      if (kind === 'Secret') run.secrets.push(text);
      variables[key] = text;
    }
  }
  return { ...variables, ...substitute };
}
