import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Action } from '../core/changeset.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { observe } from './drift.ts';
import { type CompiledRule, compileRules } from './ignore-rules.ts';
import type { AppliedRecord, ApplyOptions, ApplyResult } from './types.ts';

/** An object on its way: normalised, with its scope known. */
export interface Candidate {
  object: KubernetesObject;
  ref: ObjectRef;
  identity: string;
  /** See `AppliedRecord.desired`. */
  digest: string;
}

/** One apply under way: what it was given and what it has done. */
export interface Run {
  readonly client: KubeClient;
  readonly options: ApplyOptions;
  readonly rules: readonly CompiledRule[];
  readonly result: ApplyResult;
  /** Why everything must stop: the lease is lost, or the index cannot be written. */
  halted?: { error: unknown };
}

/**
 * Starts an apply with nothing done.
 * @throws ReconcileError when a rule of `ignore` is malformed
 */
export function startRun(client: KubeClient, options: ApplyOptions): Run {
  const result: ApplyResult = {
    changeSet: { entries: [] },
    records: new Map(),
    applied: [],
    sent: new Set(),
    terminating: [],
  };
  return { client, options, rules: compileRules(options.ignore), result };
}

/** Notes what was done to an object; `live` is what the server has, whole or its metadata. `keptBy`: as in the change set. */
export function note(
  run: Run,
  candidate: Candidate,
  action: Action,
  detail?: string,
  live?: KubernetesObject,
  keptBy?: string,
): void {
  const more = { ...(detail ? { detail } : {}), ...(keptBy ? { keptBy } : {}) };
  run.result.changeSet.entries.push({ ref: candidate.ref, action, ...more });
  if (live) run.result.applied.push(live);
}

/** Remembers an object as it is now; `record` when it was found untouched, so that its last check keeps its time. */
export function remember(
  run: Run,
  candidate: Candidate,
  live: KubernetesObject,
  record?: AppliedRecord,
): void {
  const { fieldManager, takeOver, now } = run.options;
  run.result.records.set(
    candidate.identity,
    record ?? {
      desired: candidate.digest,
      observation: observe(live, fieldManager, takeOver),
      checkedAt: now(),
    },
  );
}

/** Asks whether writing is still allowed. When it is not, nothing else of this run may write. */
export async function beforeWrite(run: Run): Promise<void> {
  run.options.signal.throwIfAborted();
  if (run.halted) throw run.halted.error;
  try {
    await run.options.beforeWrite?.();
  } catch (error) {
    run.halted ??= { error };
    throw error;
  }
}

/**
 * Ends early when a newer request for the same object waits.
 * @throws ReconcileError `Progressing`, to be run again at once
 */
export async function stopIfSuperseded(run: Run): Promise<void> {
  run.options.signal.throwIfAborted();
  if (!(await run.options.superseded?.())) return;
  throw new ReconcileError('Progressing', 'stopped, since a newer request is waiting', {
    outcome: 'wait',
    retryAfter: 0,
  });
}

/** Waits, or throws when the signal aborts. */
export async function pause(options: Pick<ApplyOptions, 'sleep' | 'signal'>, ms: number): Promise<void> {
  const { sleep, signal } = options;
  await (sleep ? sleep(ms, signal) : delay(ms, undefined, { signal }));
}

/** What became of one item of {@link each}. */
export type Settled<T, R> = { item: T; value: R } | { item: T; error: unknown };

/**
 * Does something with every item, several at a time.
 * @param stopAtError do not start further items after one failed; those already started finish
 * @returns what became of the started items, in the order of `items`
 */
export async function each<T, R>(
  options: Pick<ApplyOptions, 'concurrency' | 'signal'>,
  items: readonly T[],
  work: (item: T) => Promise<R>,
  stopAtError = false,
): Promise<Settled<T, R>[]> {
  const limit = pLimit(Math.max(1, options.concurrency));
  let failed = false;
  const settled = await Promise.all(
    items.map((item) =>
      limit(async (): Promise<Settled<T, R> | undefined> => {
        if (stopAtError && failed) return undefined;
        try {
          options.signal.throwIfAborted();
          return { item, value: await work(item) };
        } catch (error) {
          failed = true;
          return { item, error };
        }
      }),
    ),
  );
  return settled.filter((outcome) => outcome !== undefined);
}
