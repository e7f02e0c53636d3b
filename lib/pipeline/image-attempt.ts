import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { explaining, type Heads, openRepository, readHeads } from './image-checkout.ts';
import { dropIntent, noteIntent, settleIntent } from './image-intent.ts';
import { rememberPlaces } from './image-memory.ts';
import { type ChosenPolicy, chosenPolicies } from './image-policies.ts';
import { asOnlyWriter, lastPush, notePush, type PushedImages } from './image-pushes.ts';
import { refspecRef } from './image-refspec.ts';
import { commitSigner } from './image-signing.ts';
import type { ImageTarget } from './image-target.ts';
import { branchKey, evaluateUpdate, type ImageUpdate, writtenBy } from './image-update.ts';
import { checkOverwrite, commitAndPush, type PushedCommit } from './image-write.ts';
import { checkLease } from './lease.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';

/** What an automation has seen and done. */
export interface Attempted {
  policies: ChosenPolicy[];
  heads: Heads;
  update: ImageUpdate;
  /** What this run has pushed; undefined when there was nothing to push. */
  pushed: PushedCommit | undefined;
}

/** Images that come together become one commit: so long is waited for more of them, in ms. */
const COLLECT_MS = 300;
/** Commits to one branch come no closer together than this, in ms; what comes in between goes into the next. */
const GAP_MS = 2_000;
/** How often a push that met somebody else's is repeated on top of it. */
const ATTEMPTS = 20;
/** The pause before that, at most, in ms; others are at work at the same branch. */
const PAUSE_MS = 250;

/** Looks what would change, without writing. */
export async function lookForUpdate(
  run: Run,
  automation: ImageUpdateAutomation,
  target: ImageTarget,
  seen?: { policies: ChosenPolicy[]; heads: Heads },
): Promise<Attempted> {
  const access = await openRepository(run, target);
  const policies = seen?.policies ?? (await chosenPolicies(run.client, automation));
  const heads = seen?.heads ?? (await step(run, 'resolve', () => readHeads(run, target, access)));
  await settleIntent(run, branchKey(target, heads.checkout.ref), access, heads);
  const place = { ...access, commit: heads.checkout.commit, use: 'files' as const };
  const update = await step(run, 'update', () =>
    explaining(run, () =>
      access.workspace.work(place, (session, gitDir) =>
        evaluateUpdate(run, automation, target, policies, { session, gitDir, heads }),
      ),
    ),
  );
  return { policies, heads, update, pushed: undefined };
}

/** Whether a branch that is made anew each time already holds just this update. */
export function isPushed(
  target: ImageTarget,
  heads: Heads,
  update: ImageUpdate,
  last: PushedImages | undefined,
): boolean {
  return (
    target.isSeparate && last !== undefined && last.head === heads.branch && last.digest === update.digest
  );
}

/**
 * Writes the newest images as one commit, alone at the branch. When somebody pushes at the same time, everything is looked at anew and done
 * again on top of theirs, within seconds.
 * @throws ReconcileError
 */
export async function writeUpdate(
  run: Run,
  automation: ImageUpdateAutomation,
  target: ImageTarget,
): Promise<Attempted> {
  const branch = branchKey(target, `refs/heads/${target.branch}`);
  return asOnlyWriter(run, branch, async (isOurs) => {
    const before = await lastPush(run.ctx, branch);
    const { ctx } = run;
    await ctx.sleep(Math.max(COLLECT_MS, (before?.at ?? 0) + GAP_MS - ctx.now()), run.signal);
    const sign = await commitSigner(run, target);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const attempted = await attemptOnce(
        run,
        automation,
        target,
        branch,
        async () => {
          await checkLease(run);
          await isOurs();
        },
        sign,
      );
      if (attempted) return attempted;
      await ctx.sleep(PAUSE_MS * ctx.random(), run.signal);
    }
    throw new ReconcileError(
      'GitOperationFailed',
      `${describe(run.ref)}: branch ${target.branch} was changed by others ${ATTEMPTS} times while it was written; it is tried again`,
      { outcome: 'wait', retryAfter: 5_000 },
    );
  });
}

/** @returns undefined when somebody else was faster */
async function attemptOnce(
  run: Run,
  automation: ImageUpdateAutomation,
  target: ImageTarget,
  branch: string,
  check: () => Promise<void>,
  sign: Awaited<ReturnType<typeof commitSigner>>,
): Promise<Attempted | undefined> {
  const access = await openRepository(run, target);
  const policies = await chosenPolicies(run.client, automation);
  const heads = await step(run, 'resolve', () => readHeads(run, target, access));
  const last = await lastPush(run.ctx, branch);
  await checkOverwrite(run, target, access, heads, last);
  const also = await refspecRef(run, target, access, heads);
  const source = branchKey(target, heads.checkout.ref);
  await settleIntent(run, source, access, heads);
  const place = { ...access, commit: heads.checkout.commit, use: 'files' as const };
  return step(run, 'push', () =>
    explaining(run, () =>
      access.workspace.work(place, async (session, gitDir) => {
        const update = await evaluateUpdate(run, automation, target, policies, { session, gitDir, heads });
        const attempted: Attempted = { policies, heads, update, pushed: undefined };
        if (update.files.size === 0 || isPushed(target, heads, update, last)) return attempted;
        const written = target.isSeparate ? undefined : writtenBy(run, update, policies);
        const pushed = await commitAndPush(run, session, gitDir, {
          automation,
          target,
          heads,
          also,
          update,
          sign,
          check: async (commit) => {
            await check();
            if (written) await noteIntent(run.ctx, source, commit, written);
          },
        });
        if (!pushed) return undefined;
        await notePush(run.ctx, branch, { head: pushed.id, digest: update.digest, at: run.ctx.now() });
        if (written) {
          await rememberPlaces(run.ctx, source, written.places, written.images);
          await dropIntent(run.ctx, source);
        }
        return { ...attempted, pushed };
      }),
    ),
  );
}
