import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { isConflict } from '../kube/errors.ts';
import { ABSENT, assess, type Decision, decideUnseen, expecting } from './assess.ts';
import { isDue, observe } from './drift.ts';
import { type Failure, failuresError, isFailure } from './failures.ts';
import { fence, isToBeFenced } from './fence.ts';
import { liveMetadata } from './live.ts';
import { compareKinds, compareRefs } from './order.ts';
import { resolveScopes } from './resolve.ts';
import { beforeWrite, type Candidate, each, note, type Run, remember, type Settled } from './run.ts';
import { carryOut } from './write.ts';

interface Step {
  candidate: Candidate;
  decision: Decision;
}

/** A stage that creates no more than this many objects and changes none is sent without validation. */
const UNVALIDATED = 16;

/**
 * Applies the objects of one stage: what is untouched is left, everything else is validated, and only when all of it is valid
 * the writes begin, kind by kind.
 * @throws ReconcileError naming every object that was refused; nothing was written when one failed validation
 */
export async function applyStage(
  run: Run,
  objects: readonly KubernetesObject[],
  defined: ReadonlySet<string>,
): Promise<void> {
  const { candidates, failures } = await resolveScopes(run, objects, defined);
  const touched = await leaveUntouched(run, candidates);
  const assessed = await each(run.options, touched, async (candidate) => ({
    candidate,
    decision: await decide(run, candidate),
  }));
  const steps = collect(assessed, (candidate) => candidate, failures);
  const validated = await validateNew(run, steps, failures);
  if (run.halted) throw run.halted.error;
  if (failures.length > 0) throw failuresError('ReconciliationFailed', 'dry-run failed', failures);
  await write(run, validated);
  const standing = validated.filter(({ decision }) => isToBeFenced(run, decision));
  await doAll(run, standing, fence);
}

/** Objects that are as the index remembers them are noted; the others are returned. */
async function leaveUntouched(run: Run, candidates: readonly Candidate[]): Promise<Candidate[]> {
  const { known, fieldManager, takeOver, recheckAfter, now } = run.options;
  const remembered = candidates.filter((candidate) => {
    const record = known.get(candidate.identity);
    return record?.desired === candidate.digest && !isDue(record, now(), recheckAfter);
  });
  const live = await liveMetadata(run, remembered);
  const untouched = new Set<Candidate>();
  for (const candidate of remembered) {
    const record = known.get(candidate.identity);
    const object = live.get(candidate.identity);
    if (!record || !object || record.observation !== observe(object, fieldManager, takeOver)) continue;
    untouched.add(candidate);
    remember(run, candidate, { ...object }, record);
    note(run, candidate, 'unchanged', undefined, { ...object });
  }
  return candidates.filter((candidate) => !untouched.has(candidate));
}

async function decide(run: Run, candidate: Candidate): Promise<Decision> {
  const { known, previous } = run.options;
  const seen = known.has(candidate.identity) || (previous?.has(candidate.identity) ?? false);
  return decideUnseen(run, candidate) ?? (seen ? assess(run, candidate) : { kind: 'create' });
}

/** Sends what is new as a dry-run, unless the stage is small and changes nothing that exists. */
async function validateNew(run: Run, steps: readonly Step[], failures: Failure[]): Promise<Step[]> {
  const { fieldManager, signal, unvalidated = UNVALIDATED } = run.options;
  const created = steps.filter(({ decision }) => decision.kind === 'create');
  const changes = steps.some(({ decision }) => decision.kind === 'configure' || decision.kind === 'recreate');
  if (!changes && failures.length === 0 && created.length <= unvalidated) return [...steps];
  const settled = await each(run.options, steps, async ({ candidate, decision }): Promise<Step> => {
    if (decision.kind !== 'create') return { candidate, decision };
    try {
      const object = expecting(candidate.object, { resourceVersion: ABSENT });
      await run.client.apply(object, { fieldManager, force: true, dryRun: true, signal });
      return { candidate, decision };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return { candidate, decision: await assess(run, candidate) };
    }
  });
  return collect(settled, (step) => step.candidate, failures);
}

async function write(run: Run, steps: readonly Step[]): Promise<void> {
  const writes = (decision: Decision) => decision.kind !== 'unchanged' && decision.kind !== 'skipped';
  const identities = steps
    .filter(({ decision }) => writes(decision))
    .map(({ candidate }) => candidate.identity);
  if (identities.length > 0) {
    await beforeWrite(run);
    await run.options.willWrite?.(identities);
  }
  const sorted = steps.toSorted((a, b) => compareRefs(a.candidate.ref, b.candidate.ref));
  const kinds = Map.groupBy(sorted, ({ candidate: { ref } }) => `${ref.group}/${ref.kind}`);
  const groups = [...kinds.values()].sort(([a], [b]) =>
    a && b ? compareKinds(a.candidate.ref, b.candidate.ref) : 0,
  );
  for (const group of groups) {
    await doAll(run, group, carryOut);
  }
}

/** @throws ReconcileError naming every object that was refused; once one was, no further ones are begun */
async function doAll(run: Run, steps: readonly Step[], work: typeof carryOut): Promise<void> {
  const settled = await each(
    run.options,
    steps,
    ({ candidate, decision }) => work(run, candidate, decision),
    true,
  );
  const failures: Failure[] = [];
  collect(settled, (step) => step.candidate, failures);
  if (run.halted) throw run.halted.error;
  if (failures.length > 0) throw failuresError('ReconciliationFailed', 'apply failed', failures);
}

/** The values of what went well; what belongs to single objects goes to `failures`, anything else is thrown. */
function collect<T, R>(
  settled: readonly Settled<T, R>[],
  candidateOf: (item: T) => Candidate,
  failures: Failure[],
): R[] {
  return settled.flatMap((outcome) => {
    if (!('error' in outcome)) return [outcome.value];
    const { error } = outcome;
    if (!isFailure(error) || (error instanceof ReconcileError && error.outcome === 'wait')) throw error;
    failures.push({ object: candidateOf(outcome.item).object, error });
    return [];
  });
}
