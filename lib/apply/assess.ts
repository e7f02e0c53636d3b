import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import { isConflict, KubeError } from '../kube/errors.ts';
import { driftedPaths } from './compare.ts';
import { serverSays } from './failures.ts';
import { ignoredPaths, keepIgnored, without } from './ignore-rules.ts';
import { isImmutable } from './immutable.ts';
import { type PatchOperation, takeOverPatch } from './managed-fields.ts';
import { otherOwner } from './ownership.ts';
import { isCreateOnly, isExcluded, isForced, isMerged } from './policy.ts';
import { isRecreatable } from './recreate.ts';
import { beforeWrite, type Candidate, type Run } from './run.ts';

/** What is to be done with one object. */
export type Decision =
  | { kind: 'unchanged'; live: KubernetesObject }
  | {
      kind: 'skipped';
      detail: string;
      live: KubernetesObject | undefined;
      terminating?: boolean;
      /** It is as it should be, whatever it is like. */
      isAccepted?: boolean;
      /** Another owner that applies it too and keeps it. */
      keptBy?: string;
    }
  | { kind: 'create' }
  | {
      kind: 'configure';
      live: KubernetesObject;
      /** What an apply would make of it. */
      dryRun: KubernetesObject;
      /** What is sent: the manifest, with ignored fields as they are. */
      payload: KubernetesObject;
      takeOver: PatchOperation[] | undefined;
      detail: string;
    }
  | { kind: 'recreate'; live: KubernetesObject; detail: string };

/** No object ever has this resourceVersion, so a request that carries it creates, or is refused with 409. */
export const ABSENT = '1';

/** The manifest with a precondition on what it meets. */
export function expecting(
  object: KubernetesObject,
  metadata: { uid?: string; resourceVersion?: string },
): KubernetesObject {
  const { uid, resourceVersion } = metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** What a manifest alone decides, before anything is asked of the cluster. */
export function decideUnseen(run: Run, { object }: Candidate): Decision | undefined {
  if (!isExcluded(run.options.owner.group, object.metadata)) return undefined;
  return { kind: 'skipped', detail: 'its manifest says to leave it alone', live: undefined };
}

/** So often an object may change between being read and being compared. */
const ATTEMPTS = 5;

/**
 * Looks at the live object and decides by a dry-run what an apply would change. Both must see the same object, or what somebody did
 * in between would look like drift.
 * @throws KubeError or ReconcileError when the object would be refused
 */
export async function assess(run: Run, candidate: Candidate): Promise<Decision> {
  for (let attempt = 1; ; attempt++) {
    const live = await run.client.get<KubernetesObject>(candidate.ref);
    if (!live) return { kind: 'create' };
    const left = await reasonToLeave(run, candidate, live);
    if (left) return left;
    try {
      return compare(run, candidate, live, await tryApply(run, candidate, live));
    } catch (error) {
      if (isConflict(error) && attempt < ATTEMPTS) continue;
      if (error instanceof KubeError) return refused(run, candidate, live, error);
      throw error;
    }
  }
}

function compare(run: Run, candidate: Candidate, live: KubernetesObject, dryRun: KubernetesObject): Decision {
  const paths = ignoredPaths(run.rules, dryRun);
  const drifted = driftedPaths(without(live, paths), without(dryRun, paths));
  const fold = foreignFields(run, candidate, live);
  if (drifted.length === 0 && !fold) return { kind: 'unchanged', live };
  return {
    kind: 'configure',
    live,
    dryRun,
    payload: keepIgnored(candidate.object, live, dryRun, paths, run.options.fieldManager),
    takeOver: fold,
    detail: drifted.length > 0 ? drifted.join(', ') : 'fields of kubectl taken over',
  };
}

/** The patch that takes over what kubectl and its like own of an object; undefined when there is nothing, or it is to be kept. */
export function foreignFields(
  run: Run,
  { object }: Candidate,
  live: KubernetesObject,
): PatchOperation[] | undefined {
  const { owner, fieldManager, takeOver } = run.options;
  if (isMerged(owner.group, object.metadata, live.metadata)) return undefined;
  return takeOverPatch(live.metadata, fieldManager, takeOver);
}

async function reasonToLeave(
  run: Run,
  { object, ref }: Candidate,
  live: KubernetesObject,
): Promise<Decision | undefined> {
  const { owner, contested } = run.options;
  const skipped = (detail: string): Decision => ({ kind: 'skipped', detail, live });
  if (isExcluded(owner.group, live.metadata))
    return skipped('an annotation in the cluster says to leave it alone');
  if (live.metadata.deletionTimestamp) {
    return { kind: 'skipped', detail: 'it is being deleted', live, terminating: true };
  }
  if (isCreateOnly(owner.group, object.metadata))
    return { kind: 'skipped', detail: 'it exists, and is only to be created', live, isAccepted: true };
  const other = otherOwner(live.metadata, owner);
  if (other && (await contested?.(ref, other))) {
    const keptBy = `${owner.kind}/${other.namespace}/${other.name}`;
    const detail = `${keptBy} applies it too, and keeps it; remove it from one of them`;
    return { kind: 'skipped', detail, live, keptBy };
  }
  return undefined;
}

async function tryApply(run: Run, candidate: Candidate, live: KubernetesObject): Promise<KubernetesObject> {
  const { fieldManager, signal } = run.options;
  const dryRun = () =>
    run.client.apply<KubernetesObject>(expecting(candidate.object, live.metadata), {
      fieldManager,
      force: true,
      dryRun: true,
      signal,
    });
  try {
    return await dryRun();
  } catch (error) {
    if (!isSchemaMismatch(error) || !(await migrate(run, candidate, live))) throw error;
    return dryRun();
  }
}

/**
 * After a CRD got a new version with new defaulted fields, entries of older versions make every apply fail.
 * https://github.com/fluxcd/pkg/blob/main/ssa/patch.go (PatchMigrateToVersion)
 */
function isSchemaMismatch(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  const message = serverSays(error);
  return message.includes('field not declared in schema') && !message.includes('typed patch object');
}

/** Rewrites entries of older API versions to the applied one. Returns false when there are none. */
async function migrate(run: Run, { object, ref }: Candidate, live: KubernetesObject): Promise<boolean> {
  const { apiVersion } = object;
  const entries = live.metadata.managedFields ?? [];
  if (entries.every((entry) => entry.apiVersion === apiVersion)) return false;
  await beforeWrite(run);
  const patched = await run.client.patch<KubernetesObject>(
    ref,
    'json',
    [
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: entries.map((entry) => ({ ...entry, apiVersion })),
      },
      { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ],
    { fieldManager: run.options.fieldManager },
  );
  live.metadata = patched.metadata;
  return true;
}

async function refused(
  run: Run,
  candidate: Candidate,
  live: KubernetesObject,
  error: KubeError,
): Promise<Decision> {
  const { owner, force } = run.options;
  const { object, ref } = candidate;
  const forced = isForced(owner.group, object.metadata, live.metadata);
  const immutable = isImmutable(error, live, object);
  if ((forced || force) && (immutable || error.code === 422) && !isConflict(error)) {
    await isRecreatable(run, candidate, forced, error);
    return { kind: 'recreate', live, detail: 'a field that cannot be changed in place' };
  }
  if (!immutable) throw error;
  throw new ReconcileError(
    'ReconciliationFailed',
    `${describe(ref)} dry-run failed (${error.reason || error.code}): ${serverSays(error)}. ` +
      `To have it deleted and created again, annotate it with ${owner.group}/force: Enabled, or set spec.force.`,
  );
}
