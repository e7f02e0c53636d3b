import pLimit from 'p-limit';
import type { Artifact } from '../core/artifact.ts';
import { refOf } from '../core/object.ts';
import { normaliseRepository } from '../core/repository.ts';
import { commitOf } from '../core/revision.ts';
import type { TreeIndex } from '../core/tree.ts';
import { closureDigest } from '../core/tree.ts';
import type { InputRecord } from '../store/inputs.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { advanceRevision, isAtRevision } from './advance.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { listKustomizations } from './kustomizations.ts';
import { sourceRefOf } from './load-source.ts';
import { keyOf, objectKey } from './object-key.ts';
import { ownPushSince } from './own-push.ts';
import { giveWay } from './precedence.ts';
import { isNew, isReady } from './ready.ts';
import { openRollout } from './rollout.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';
import { treeIndexOf } from './tree-index.ts';
import { releaseWaiting } from './waiting.ts';

/** How many statuses are advanced at once; those that are to run must not wait for them. */
const ADVANCE_CONCURRENCY = 8;

/** How often it is looked whether a newer push waits, in ms. */
const OVERTAKEN_LOOK_MS = 50;

/** What is known of an artifact that was just made. */
export interface NewArtifact {
  index?: TreeIndex;
  /** The source had none before. */
  isFirst?: boolean;
  /** The source was at it before this run: what was under way when it came to it has been seen to. */
  isAgain?: boolean;
}

/**
 * After a source has a new artifact: a job for every Kustomization whose inputs the change touches, the new revision in the
 * status of every other. The rollout that the commit status is made of is opened first, so that no object looks done early.
 * Run again after a crash, it sends what is still missing.
 */
export async function sendDependants(
  run: Run,
  source: WithStatus,
  artifact: Artifact,
  { index: known, isFirst = false, isAgain = false }: NewArtifact = {},
): Promise<void> {
  const { ctx, job } = run;
  const { affected, unaffected, there } = await step(run, 'dependants', async () => {
    const look = async () => {
      const items = await dependantsOf(run);
      // Read after the objects: a record that is older than what its object has applied would let it pass for untouched.
      const records = await ctx.index.inputs.loadCluster(job.cluster);
      return partition(items, artifact, records, known ?? (await treeIndexOf(ctx.blobs, artifact)));
    };
    const first = await look();
    if (isAgain || first.there.length === 0) return first;
    const taken = await ctx.index.leases.taken(job.cluster);
    const second = await look();
    const again = second.there.filter((item) => isTaken(run, item, taken));
    return { ...second, affected: [...second.affected, ...again] };
  });
  const others = [...unaffected, ...there].map(refOf);
  const look = async () => (await dependantsOf(run)).map(refOf);
  const joined = await openRollout(run, source, artifact, affected.map(refOf), others, look);
  const { origin } = job;
  // One that never ran is on its way, and can have met no older artifact: a second job would find nothing to do.
  const sent = isFirst ? affected.filter((item) => !isNew(item)) : affected;
  await enqueue(
    ctx,
    [...sent.map(refOf), ...joined].map((ref) => ({
      job: reconcileJob(ctx, job.cluster, ref, 'source', origin ? { origin } : {}),
    })),
  );
  await releaseWaiting(ctx, job.cluster, run.ref);
  // A newer push does what is left of this, at its own revision.
  if (!(await step(run, 'advance', () => advanceAll(run, unaffected, artifact)))) return;
  await ctx.index.rollouts.setSent(job.cluster, objectKey(run.ref), {
    commit: commitOf(artifact.revision),
    digest: artifact.digest,
    ...repositoryOf(source),
  });
}

async function dependantsOf(run: Run): Promise<(Kustomization & WithStatus)[]> {
  const own = objectKey(run.ref);
  const items = await listKustomizations(run.client);
  return items.filter((item) => objectKey(sourceRefOf(item)) === own && isActive(item) && mayUse(run, item));
}

/**
 * Whether a run was at an object that was at the revision already. The branch may have come back to it (A → B → A), and that run read the
 * source when it was at B: the object is going to be there, and must come back, too. A run that begins only now reads what is newest.
 * @param taken the leases before the object was read
 */
function isTaken({ job }: Run, item: Kustomization, taken: ReadonlySet<string>): boolean {
  return taken.has(`${job.cluster}/${keyOf(item)}`);
}

/** One that may not use the source has no part in what its commits show. */
function mayUse({ cluster, ref }: Run, { metadata }: Kustomization): boolean {
  return !cluster.config.noCrossNamespaceRefs || (metadata.namespace ?? '') === ref.namespace;
}

function repositoryOf(source: WithStatus): { repository?: string } {
  const repository = normaliseRepository((source as unknown as GitRepository).spec.url);
  return repository === undefined ? {} : { repository };
}

/** Whether the render of a Kustomization in this tree is sure to give what it gave before. */
export function isUnaffected(
  item: Kustomization & WithStatus,
  record: InputRecord | undefined,
  index: TreeIndex,
): boolean {
  if (!record || !isReady(item) || record.generation !== item.metadata.generation) return false;
  if (item.status?.lastAttemptedRevision !== item.status?.lastAppliedRevision) return false;
  return closureDigest(record.closure, index) === record.closureDigest;
}

function partition(
  dependants: (Kustomization & WithStatus)[],
  artifact: Artifact,
  records: ReadonlyMap<string, InputRecord>,
  index: TreeIndex,
) {
  const affected: (Kustomization & WithStatus)[] = [];
  const unaffected: (Kustomization & WithStatus)[] = [];
  const there: (Kustomization & WithStatus)[] = [];
  for (const item of dependants) {
    const record = records.get(keyOf(item));
    if (isReady(item) && isAtRevision(item.status ?? {}, artifact.revision)) there.push(item);
    else (isUnaffected(item, record, index) ? unaffected : affected).push(item);
  }
  return { affected, unaffected, there };
}

/**
 * Moves statuses on to the new revision. In a large repository this takes longer than the rest of a push, so a newer push that waits
 * ends it early. It begins at another place each time, so that no status is always the one left behind.
 * @returns whether all were moved on
 */
async function advanceAll(
  run: Run,
  items: (Kustomization & WithStatus)[],
  artifact: Artifact,
): Promise<boolean> {
  const { ctx, job } = run;
  const limit = pLimit(ADVANCE_CONCURRENCY);
  const start = Math.floor(ctx.random() * items.length);
  let overtaken = false;
  let lookedAt = ctx.now();
  const advance = async (item: Kustomization & WithStatus) => {
    if (ctx.now() - lookedAt >= OVERTAKEN_LOOK_MS) {
      lookedAt = ctx.now();
      overtaken ||= await isOvertaken(run, artifact);
    }
    if (overtaken) return;
    await giveWay(run);
    await advanceRevision(run.client, item, artifact.revision);
    await releaseWaiting(ctx, job.cluster, refOf(item));
  };
  await Promise.all(
    [...items.slice(start), ...items.slice(0, start)].map((item) => limit(() => advance(item))),
  );
  return !overtaken;
}

/** Whether a later push to this source waits for this run to end: one that was announced, or one of our own. */
async function isOvertaken(run: Run, artifact: Artifact): Promise<boolean> {
  const [open, own] = await Promise.all([
    run.ctx.index.rollouts.unfinished(run.job.cluster, objectKey(run.ref)),
    ownPushSince(run),
  ]);
  const present = commitOf(artifact.revision);
  if (own !== undefined && own !== present) return true;
  return open.some(
    ({ commit, startedAt, supersededBy }) =>
      commit !== present && supersededBy === '' && startedAt > run.startedAt,
  );
}

function isActive(item: Kustomization): boolean {
  return item.spec.suspend !== true && item.metadata.deletionTimestamp === undefined;
}
