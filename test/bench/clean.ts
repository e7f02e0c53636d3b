import pLimit from 'p-limit';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { refOf } from '../../lib/core/object.ts';
import type { KubeClient } from '../../lib/kube/client.ts';

/**
 * Leaves the cluster as it was found, for the next measurement: the API server looks through all addresses that are in use whenever it
 * gives a Service one, so that each thousand of Services left behind makes the next thousand dearer.
 */
export async function clean(client: KubeClient, objects: readonly KubernetesObject[]): Promise<void> {
  const limit = pLimit(16);
  await Promise.all(objects.map((object) => limit(() => client.delete(refOf(object)))));
}
