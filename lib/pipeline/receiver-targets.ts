import { parseApiVersion } from '../core/object.ts';
import type { KubeClient, PartialObject } from '../kube/client.ts';
import type { Receiver, ReceiverResource } from '../toolkit/receiver.ts';
import { isReconciled, kinds } from './kinds.ts';
import type { ToolkitRef } from './object-key.ts';

/** An object that a Receiver may have reconciled. */
export interface Target {
  ref: ToolkitRef;
  /** Type and metadata, where a filter or the selection had to look at them. */
  metadata?: PartialObject;
}

const ANY = '*';

/** Why a resource of a Receiver can have no effect, each as `kind/name: why`. */
export function withoutTarget(receiver: Receiver, noCrossNamespaceRefs: boolean): string[] {
  return receiver.spec.resources.flatMap((resource) => {
    const why = problemOf(receiver, resource, noCrossNamespaceRefs);
    return why === undefined ? [] : [`${resource.kind}/${resource.name} (${why})`];
  });
}

/**
 * What is wrong with a resource of a Receiver, so that it has no effect.
 * @returns undefined when nothing is
 */
export function problemOf(
  receiver: Receiver,
  resource: ReceiverResource,
  noCrossNamespaceRefs: boolean,
): string | undefined {
  if (!isReconciled(groupAndKind(resource))) return 'its kind is not supported';
  if (resource.name === ANY && resource.matchLabels === undefined) return 'the name * needs matchLabels';
  const own = receiver.metadata.namespace ?? '';
  if (noCrossNamespaceRefs && (resource.namespace ?? own) !== own)
    return 'the cluster allows no references to other namespaces';
  return undefined;
}

/**
 * The objects that a resource names or selects.
 * @param look whether their metadata are needed; one that does not exist is left out then
 */
export async function targetsOf(
  client: KubeClient,
  receiver: Receiver,
  resource: ReceiverResource,
  look: boolean,
): Promise<Target[]> {
  const { group, kind } = groupAndKind(resource);
  const version = kinds[kind]?.version ?? 'v1';
  const namespace = resource.namespace ?? receiver.metadata.namespace ?? '';
  if (resource.name !== ANY) {
    const ref = { group, kind, namespace, name: resource.name };
    if (!look) return [{ ref }];
    const metadata = await client.getMetadata({ ...ref, version });
    return metadata ? [{ ref, metadata }] : [];
  }
  const labels = Object.entries(resource.matchLabels ?? {});
  const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join();
  const { items } = await client.listMetadata({ group, version, kind }, { namespace, labelSelector });
  return items
    .filter(({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key] === value))
    .map((found) => ({ ref: { group, kind, namespace, name: found.metadata.name }, metadata: found }));
}

function groupAndKind({ apiVersion, kind }: ReceiverResource): Pick<ToolkitRef, 'group' | 'kind'> {
  const group = apiVersion === undefined ? (kinds[kind]?.group ?? '') : parseApiVersion(apiVersion).group;
  return { group, kind };
}
