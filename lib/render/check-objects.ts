import { ReconcileError } from '../core/errors.ts';
import { describe, identityOf, type KubernetesObject, refOf } from '../core/object.ts';

/**
 * Refuses objects that no API server would take, before anything is written.
 * @throws {ReconcileError} BuildFailed: a name that is no text, or two objects of the same identity
 */
export function checkObjects(objects: readonly KubernetesObject[]): void {
  const seen = new Set<string>();
  for (const object of objects) {
    const { kind, metadata } = object;
    const fields = { apiVersion: object.apiVersion, kind, 'metadata.name': metadata?.name };
    for (const [field, value] of Object.entries(fields)) {
      if (typeof value === 'string' && value !== '') continue;
      const found =
        value === undefined || value === '' ? 'is missing' : `is ${JSON.stringify(value)}, not a text`;
      throw new ReconcileError(
        'BuildFailed',
        `${kind ?? 'object'} ${JSON.stringify(metadata?.name ?? '')}: ${field} ${found}; if a variable is substituted there, quote it`,
      );
    }
    if (metadata.namespace !== undefined && typeof metadata.namespace !== 'string') {
      throw new ReconcileError(
        'BuildFailed',
        `${kind}/${metadata.name}: metadata.namespace is not a text; quote it`,
      );
    }
    const ref = refOf(object);
    const identity = identityOf(ref);
    if (seen.has(identity)) {
      throw new ReconcileError('BuildFailed', `${describe(ref)} occurs twice; remove or rename one of them`);
    }
    seen.add(identity);
  }
}
