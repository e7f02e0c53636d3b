import type { ObjectRef } from '../core/object.ts';
import { describe, identityOf } from '../core/object.ts';
import type { ApiResource, KubeClient, PartialObject } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { isMap, valueAt } from './pointer.ts';

/** Labels by which appliers mark what is theirs. */
const OWNER_LABELS = ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name'];

/** So many objects are named. */
const NAMED = 5;

/** Whether deleting an object deletes others with it. */
export function carriesOthers(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return (
    (ref.group === '' && ref.kind === 'Namespace') ||
    (ref.group === 'apiextensions.k8s.io' && ref.kind === 'CustomResourceDefinition')
  );
}

/**
 * What would be lost with a CRD or Namespace although nobody asked for it: all custom resources of the CRD; in the namespace, objects
 * of other owners and volume claims. Objects that are pruned in the same run do not count.
 * @param pruned identities that go in the same run
 * @param labels the owner's labels: what carries them is its own
 * @returns their names, some of them; empty when nothing would be lost
 */
export async function lostWith(
  client: KubeClient,
  ref: ObjectRef,
  pruned: ReadonlySet<string>,
  labels: Readonly<Record<string, string>>,
): Promise<string[]> {
  const found =
    ref.kind === 'Namespace' ? await heldBy(client, ref.name, labels) : await definedBy(client, ref);
  const lost = found.filter((each) => !pruned.has(identityOf(each))).map(describe);
  return lost.length > NAMED ? [...lost.slice(0, NAMED), `${lost.length - NAMED} more`] : lost;
}

async function definedBy(client: KubeClient, ref: ObjectRef): Promise<ObjectRef[]> {
  const crd = await client.get(ref);
  const [group, kind] = [valueAt(crd, ['spec', 'group']), valueAt(crd, ['spec', 'names', 'kind'])];
  const versions = valueAt(crd, ['spec', 'versions']);
  if (typeof group !== 'string' || typeof kind !== 'string' || !Array.isArray(versions)) return [];
  const version = versions.find((each) => isMap(each) && each.served === true)?.name;
  if (typeof version !== 'string') return [];
  const { items } = await client.listMetadata({ group, version, kind });
  return items.filter(alive).map((item) => refTo({ group, version, kind }, item));
}

async function heldBy(
  client: KubeClient,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<ObjectRef[]> {
  const kinds = (await client.resources()).filter((each) => each.namespaced && each.verbs.includes('list'));
  const preferred = new Map(kinds.map((each) => [`${each.group}/${each.kind}`, each]));
  const found = await Promise.all(
    [...preferred.values()].map((kind) => othersOf(client, kind, namespace, labels)),
  );
  return found.flat();
}

async function othersOf(
  client: KubeClient,
  kind: ApiResource,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<ObjectRef[]> {
  const claims = kind.group === '' && kind.kind === 'PersistentVolumeClaim';
  const selectors = claims ? [''] : OWNER_LABELS;
  const lists = await Promise.all(
    selectors.map(async (labelSelector) => {
      try {
        return (await client.listMetadata(kind, { namespace, labelSelector })).items;
      } catch (error) {
        // Kinds that the account may not see, or whose own server is down, cannot be judged.
        if (error instanceof KubeError && [403, 404, 405, 503].includes(error.code)) return [];
        throw error;
      }
    }),
  );
  return lists
    .flat()
    .filter(alive)
    .filter(({ metadata }) => Object.entries(labels).some(([key, value]) => metadata.labels?.[key] !== value))
    .map((item) => refTo(kind, item));
}

function alive({ metadata }: PartialObject): boolean {
  return (
    metadata.deletionTimestamp === undefined && !metadata.ownerReferences?.some((each) => each.controller)
  );
}

function refTo(
  kind: { group: string; version: string; kind: string },
  { metadata }: PartialObject,
): ObjectRef {
  const { group, version } = kind;
  return { group, version, kind: kind.kind, namespace: metadata.namespace ?? '', name: metadata.name };
}
