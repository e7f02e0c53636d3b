import { observe } from '../apply/drift.ts';
import type { Claim } from '../apply/prune-verdict.ts';
import type { ObjectRef } from '../core/object.ts';
import { identityOf } from '../core/object.ts';
import type { PartialObject } from '../kube/client.ts';
import { FIELD_MANAGER } from '../toolkit/annotations.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import {
  identitiesIn,
  KUSTOMIZATION,
  kustomizationRef,
  listKustomizations,
  waitingFor,
} from './kustomizations.ts';
import { sourceRefOf } from './load-source.ts';
import { keyOf, objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** What other Kustomizations of the cluster hold. */
export interface Claims {
  /** Whether the other Kustomization that an object's labels name has applied it at this revision, and so keeps it. */
  contested(ref: ObjectRef, other: { name: string; namespace: string }): Promise<boolean>;
  /** The claim of another Kustomization on an object, or undefined. */
  claimed(ref: ObjectRef, live: PartialObject): Promise<Claim | undefined>;
  /** Makes heirs of those that hold an object that is gone. */
  leaveToOthers(ref: ObjectRef): Promise<void>;
  /** The keys of those to which an object was left that they have not applied, for a clash of both; they must apply it now. */
  heirs(): string[];
}

/**
 * Tells who else holds an object: by the inventories that stand in the cluster, read once and only when asked. One of the same source
 * counts only when it has come to this revision: before that, its inventory speaks of what it held, and the object may have moved.
 * An inventory alone does not say what its owner is going to keep: while it applies, and while its prune waits, what leaves stands in it,
 * too. What it has applied is known from the index.
 * @param revision the revision that is being applied; undefined when the Kustomization is being deleted
 * @param items all of the cluster, where they were read already. Default: read when first asked
 */
export function claimsOf(
  run: Run,
  object: Kustomization,
  revision: string | undefined,
  items?: readonly (Kustomization & WithStatus)[],
): Claims {
  const own = objectKey(run.ref);
  const source = objectKey(sourceRefOf(object));
  const { applied } = run.ctx.index;
  const heirs = new Set<string>();
  let loaded: Promise<Map<string, Set<string>>> | undefined;
  let waiting: ReadonlySet<string> = new Set();

  async function load(): Promise<Map<string, Set<string>>> {
    const all = items ?? (await listKustomizations(run.client));
    if (revision === undefined) waiting = waitingFor(own, all);
    const holding = all
      .map((item) => ({ item, key: keyOf(item) }))
      .filter(({ item, key }) => key !== own && item.metadata.deletionTimestamp === undefined)
      .filter(
        ({ item }) =>
          objectKey(sourceRefOf(item)) !== source ||
          revision === undefined ||
          item.status?.lastAttemptedRevision === revision,
      );
    return new Map(holding.map(({ item, key }) => [key, identitiesIn(item)]));
  }

  const holders = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    async contested(ref, other) {
      const key = objectKey({ kind: KUSTOMIZATION.kind, ...other });
      if (!(await holders()).get(key)?.has(identityOf(ref))) return false;
      // Empty while it is at work.
      return (await applied.load(run.job.cluster, key)).has(identityOf(ref));
    },
    async claimed(ref, live) {
      const identity = identityOf(ref);
      for (const [by, identities] of await holders()) {
        if (!identities.has(identity)) continue;
        // It comes to no end before this one is made anew, and each would wait for the other: the object is left to it as it is.
        if (waiting.has(by)) return { by, settled: true };
        if (await applied.isDirty(run.job.cluster, by)) return { by, settled: false };
        const record = (await applied.load(run.job.cluster, by)).get(identity);
        if (record?.observation === observe(live, FIELD_MANAGER)) return { by, settled: true };
        // It has not applied the object, or another one has taken it over since: its inventory may be older than that.
        const now = await standing(run, by);
        // Deleted since: it may be made anew, and apply the object then. The next look finds out.
        if (now === undefined) return { by, settled: false };
        // It may have come to its end meanwhile, and have let the object go.
        if (!now.identities.has(identity)) continue;
        if (now.isSuspended) {
          if (!record) continue;
          // Only once it is resumed will it say whether it keeps the object.
          return { by: `${by} (suspended)`, settled: false };
        }
        // It applies the object, or lets it go and has no claim any more: only then is it told what becomes of it.
        heirs.add(by);
        return { by, settled: false };
      }
      return undefined;
    },
    async leaveToOthers(ref) {
      for (const [key, identities] of await holders()) if (identities.has(identityOf(ref))) heirs.add(key);
    },
    heirs: () => [...heirs],
  };
}

/** A job for each of those that must apply now what was left to them. */
export async function sendHeirs(run: Run, claims: Pick<Claims, 'heirs'> | undefined): Promise<void> {
  const jobs = (claims?.heirs() ?? []).map((key) => ({
    job: reconcileJob(run.ctx, run.job.cluster, kustomizationRef(key), 'sweep'),
  }));
  await enqueue(run.ctx, jobs);
}

/** What one Kustomization holds by now, and whether it goes on to apply it; undefined when it is gone, or going. */
async function standing(
  run: Run,
  key: string,
): Promise<{ identities: Set<string>; isSuspended: boolean } | undefined> {
  const [, namespace = '', name = ''] = key.split('/');
  const found = await run.client.get<Kustomization & WithStatus>({ ...KUSTOMIZATION, namespace, name });
  if (!found || found.metadata.deletionTimestamp !== undefined) return undefined;
  return { identities: identitiesIn(found), isSuspended: found.spec.suspend === true };
}
