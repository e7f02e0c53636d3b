import { parseEntry } from '../core/inventory.ts';
import type { ObjectRef } from '../core/object.ts';
import { identityOf } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { sourceRefOf } from './load-source.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/** What other Kustomizations of the cluster hold. */
export interface Claims {
  /** Whether the other Kustomization that an object's labels name holds it still. */
  contested(ref: ObjectRef, other: { name: string; namespace: string }): Promise<boolean>;
  /** The key of another Kustomization that holds an object, or undefined. */
  claimed(ref: ObjectRef): Promise<string | undefined>;
}

/**
 * Tells who else holds an object: by the inventories that stand in the cluster, read once and only when asked. One of the same source
 * counts only when it has come to this revision: before that, its inventory speaks of what it held, and the object may have moved.
 * @param revision the revision that is being applied; undefined when the Kustomization is being deleted
 */
export function claimsOf(run: Run, object: Kustomization, revision: string | undefined): Claims {
  const own = objectKey(run.ref);
  const source = objectKey(sourceRefOf(object));
  let loaded: Promise<Map<string, Set<string>>> | undefined;

  async function load(): Promise<Map<string, Set<string>>> {
    const { items } = await run.client.list<Kustomization & WithStatus>(KUSTOMIZATION);
    const holding = items
      .map((item) => ({ item, key: keyOf(item) }))
      .filter(({ item, key }) => key !== own && item.metadata.deletionTimestamp === undefined)
      .filter(
        ({ item }) =>
          objectKey(sourceRefOf(item)) !== source ||
          revision === undefined ||
          item.status?.lastAttemptedRevision === revision,
      );
    return new Map(holding.map(({ item, key }) => [key, identitiesOf(item)]));
  }

  const holders = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    async contested(ref, other) {
      const key = objectKey({ kind: KUSTOMIZATION.kind, ...other });
      return (await holders()).get(key)?.has(identityOf(ref)) ?? false;
    },
    async claimed(ref) {
      const identity = identityOf(ref);
      return [...(await holders())].find(([, identities]) => identities.has(identity))?.[0];
    },
  };
}

function keyOf({ metadata }: Kustomization): string {
  return objectKey({ kind: KUSTOMIZATION.kind, namespace: metadata.namespace ?? '', name: metadata.name });
}

function identitiesOf({ spec, status }: Kustomization): Set<string> {
  // What stands in another cluster is another object, whatever its name.
  if (spec.kubeConfig !== undefined) return new Set();
  return new Set(
    (status?.inventory?.entries ?? []).flatMap((entry) => parseEntry(entry) ?? []).map(identityOf),
  );
}
