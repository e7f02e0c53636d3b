import type { ObjectRef } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { isMap, valueAt } from './pointer.ts';

/**
 * The reference under which an object of an inventory can be reached now: its API version may be retired while its kind lives on.
 * @returns `gone` when nothing serves the kind any more; `unavailable` when its server is registered but does not answer, so
 *   that the object may well exist; `unknown` when the account may not find out which of the two it is
 */
export async function locate(
  client: KubeClient,
  ref: ObjectRef,
): Promise<ObjectRef | 'gone' | 'unavailable' | 'unknown'> {
  if (await client.resource(ref)) return ref;
  const preferred = await client.preferred(ref.group, ref.kind);
  if (preferred) return { ...ref, version: preferred.version };
  try {
    return (await isRegistered(client, ref)) ? 'unavailable' : 'gone';
  } catch (error) {
    if (error instanceof KubeError && error.code === 403) return 'unknown';
    throw error;
  }
}

/** Whether another server is registered for the group (metrics, webhooks' own APIs) but does not answer. */
async function isRegistered(client: KubeClient, { group, version }: ObjectRef): Promise<boolean> {
  if (group === '') return false;
  const name = `${version}.${group}`;
  const service = await client.get({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    kind: 'APIService',
    namespace: '',
    name,
  });
  if (!service || !isMap(valueAt(service, ['spec', 'service']))) return false;
  const conditions = valueAt(service, ['status', 'conditions']);
  return !(Array.isArray(conditions) && conditions.some((each) => isMap(each) && isAvailable(each)));
}

function isAvailable(condition: Record<string, unknown>): boolean {
  return condition.type === 'Available' && condition.status === 'True';
}
