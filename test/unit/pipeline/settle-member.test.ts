import { afterAll, beforeAll, expect, test } from 'vitest';
import { openIndex } from '../../../functions/open-index.ts';
import type { Context, Index } from '../../../lib/pipeline/context.ts';
import { type Kind, kinds } from '../../../lib/pipeline/kinds.ts';
import type { Outcome } from '../../../lib/pipeline/outcome.ts';
import { joinNewest } from '../../../lib/pipeline/overtake.ts';
import { openRollout } from '../../../lib/pipeline/rollout.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import { settleMember } from '../../../lib/pipeline/settle-member.ts';
import type { WithStatus } from '../../../lib/pipeline/status.ts';
import type { Rollout } from '../../../lib/store/rollouts.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];
const SOURCE = 'GitRepository/apps/repo';
const APP = 'Kustomization/apps/app';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function rolloutOf(commit: string, startedAt: number): Rollout {
  const place = { cluster: 'prod', destination: 'forge', project: 'owner/repo' };
  return { ...place, source: SOURCE, commit, startedAt, supersededBy: '' };
}

/** A cluster in which commit A was deployed and has ended; B is on its way if wanted. */
async function stage({ pushed = true } = {}) {
  const table = parts.freshTable();
  const index = openIndex(() => table, parts.clock.now, ['prod']);
  const { rollouts } = index;
  await rollouts.open(rolloutOf(A, 1));
  await rollouts.add(rolloutOf(A, 1), [APP]);
  await rollouts.settle(rolloutOf(A, 1), APP, { state: 'ready', message: '', runId: 'first' });
  await rollouts.finish(await rollouts.read(rolloutOf(A, 1)));
  await rollouts.setSent('prod', SOURCE, { commit: A, digest: 'sha256:a' });
  if (pushed) {
    await rollouts.open(rolloutOf(B, 2));
    await rollouts.add(rolloutOf(B, 2), [APP]);
  }
  const ctx = {
    index,
    fleet: { statuses: { prefix: 'slipway', objects: 'failing' }, server: {} },
    providers: [{ name: 'forge', host: 'git.example.test' }],
    now: () => 10,
  };
  const states = async () =>
    Object.fromEntries(
      await Promise.all(
        [A, B].map(async (commit) => [commit[0], (await rollouts.members(rolloutOf(commit, 0)))[0]?.state]),
      ),
    );
  return { ctx, index, states };
}

function runOf(ctx: object, revision?: string): Run {
  const ref = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name: 'app' };
  const job = { cluster: 'prod' };
  return {
    ctx,
    ref,
    job,
    changes: [],
    id: 'run',
    seen: { uid: '', generation: 1 },
    revision,
  } as unknown as Run;
}

const app = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'apps' },
  spec: { sourceRef: { kind: 'GitRepository', name: 'repo' } },
  status: { lastAttemptedRevision: `main@sha1:${A}` },
} as unknown as WithStatus;

const settle = (run: Run, result: Outcome['result']) =>
  settleMember(run, kinds.Kustomization as Kind, app, {
    result,
    ready: { type: 'Ready', status: 'False', reason: 'DependencyNotReady', message: 'not yet' },
  } as Outcome);

test('a run that waits for a dependency leaves the commit that was tried before as it ended', async () => {
  const { ctx, states } = await stage();
  await settle(runOf(ctx, `main@sha1:${B}`), 'waiting');
  expect(await states()).toEqual({ a: 'ready', b: 'pending' });
});

test('a run that fails before it comes to its source has failed for the commit on its way, not for the one before', async () => {
  const { ctx, states } = await stage();
  await settle(runOf(ctx), 'failure');
  expect(await states()).toEqual({ a: 'ready', b: 'failed' });
});

test('a run that fails before it comes to its source while nothing is on its way has failed for the commit that stands', async () => {
  const { ctx, states } = await stage({ pushed: false });
  await settle(runOf(ctx), 'failure');
  expect(await states()).toEqual({ a: 'failed', b: undefined });
});

test('a failure names its object once, whether its message does so or not', async () => {
  for (const text of ['not yet', 'Kustomization/apps/app: not yet']) {
    const { ctx, index } = await stage();
    const ready = { type: 'Ready', status: 'False', reason: 'ReconciliationFailed', message: text };
    const outcome = { result: 'failure', ready } as Outcome;
    await settleMember(runOf(ctx, `main@sha1:${B}`), kinds.Kustomization as Kind, app, outcome);
    const [member] = await index.rollouts.members(rolloutOf(B, 2));
    expect(member?.message).toBe('Kustomization/apps/app: not yet');
  }
});

const source = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'repo', namespace: 'apps' },
  spec: { url: 'https://git.example.test/owner/repo.git' },
};

function sourceRunOf(ctx: object, job: object = {}): Run {
  return {
    ...runOf(ctx),
    ref: { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', namespace: 'apps', name: 'repo' },
    job: { cluster: 'prod', ...job },
    startedAt: 5,
  } as unknown as Run;
}

const artifactOf = (commit: string) => ({
  revision: `main@sha1:${commit}`,
  digest: `sha256:${commit[0]}`,
  ...{ path: '', url: '', lastUpdateTime: '', size: 0 },
});

/** What the provider is to show of a commit. */
async function shown({ index }: { index: Index }, commit: string): Promise<string | undefined> {
  const entries = await index.outbox.pending('forge', 100);
  return entries.find(({ status }) => status.commit === commit)?.status.state;
}

test('a commit that comes back without a push overtakes the one that was on its way', async () => {
  const { ctx, index } = await stage();
  await openRollout(sourceRunOf(ctx), source, artifactOf(A), []);
  expect((await index.rollouts.get('prod', SOURCE, B))?.supersededBy).toBe(A);
});

test('a commit that a push brings back while a run for its first push finds another one is left to that push', async () => {
  const { ctx, index } = await stage({ pushed: false });
  await index.rollouts.open(rolloutOf(A, 10));
  const first = { origin: { id: 'first', commit: A }, requestedAt: 1 };
  await openRollout(sourceRunOf(ctx, first), source, artifactOf(B), []);
  expect((await index.rollouts.get('prod', SOURCE, A))?.supersededBy).toBe('');
  // The run for the second push finds the other one still: nobody else is to come.
  await openRollout(sourceRunOf(ctx, { ...first, requestedAt: 11 }), source, artifactOf(B), []);
  expect((await index.rollouts.get('prod', SOURCE, A))?.supersededBy).toBe(B);
});

test('what was made while nobody had told of its commit yet joins it, and runs again to say how it fares', async () => {
  const { ctx, index } = await stage({ pushed: false });
  const [known, late] = ['known', 'late'].map((name) => ({ ...runOf(ctx).ref, name }));
  const refs = [known, late].filter((ref) => ref !== undefined);
  const joined = await openRollout(
    sourceRunOf(ctx),
    source,
    artifactOf(B),
    refs.slice(0, 1),
    [],
    async () => refs,
  );
  expect(joined).toEqual([late]);
  const members = await index.rollouts.members(rolloutOf(B, 5));
  expect(members.map(({ key, state }) => [key, state])).toEqual([
    [SOURCE, 'pending'],
    ['Kustomization/apps/known', 'pending'],
    ['Kustomization/apps/late', 'pending'],
  ]);
});

test('a commit whose source failed while members were on their way is superseded by the next one', async () => {
  const { ctx, index } = await stage();
  const b = rolloutOf(B, 2);
  await index.rollouts.add(b, [SOURCE]);
  const sourceOutcome = { result: 'failure', ready: { message: 'no answer' } } as Outcome;
  const seen = { ...source, status: { artifact: artifactOf(B) } } as unknown as WithStatus;
  await settleMember(sourceRunOf(ctx), kinds.GitRepository as Kind, seen, sourceOutcome);
  expect(await shown({ index }, B)).toBe('failure');
  const next = 'c'.repeat(40);
  await openRollout(sourceRunOf(ctx), source, artifactOf(next), []);
  expect(await shown({ index }, B)).toBe('superseded');
  // Its own push comes late, and finds the next one in its place.
  const late = { ...source, status: { artifact: artifactOf(next) } } as unknown as WithStatus;
  const found = { result: 'success', ready: { message: '' } } as Outcome;
  await settleMember(sourceRunOf(ctx, { commit: B }), kinds.GitRepository as Kind, late, found);
  expect(await shown({ index }, B)).toBe('superseded');
});

test('a commit that had ended, and is pending again, is superseded by the next one', async () => {
  const { ctx, index } = await stage({ pushed: false });
  await settle(runOf(ctx, `main@sha1:${A}`), 'waiting');
  expect(await shown({ index }, A)).toBe('pending');
  await openRollout(sourceRunOf(ctx), source, artifactOf(B), []);
  expect(await shown({ index }, A)).toBe('superseded');
});

test('one that was on its way for a commit which is overtaken joins the next one, unless that has seen to it', async () => {
  const { ctx, index } = await stage();
  const next = 'c'.repeat(40);
  const joined = await openRollout(sourceRunOf(ctx), source, artifactOf(next), [], []);
  expect(joined).toMatchObject([{ kind: 'Kustomization', namespace: 'apps', name: 'app' }]);
  expect(await shown({ index }, next)).toBe('pending');
  const later = 'd'.repeat(40);
  const run = { ...sourceRunOf(ctx), startedAt: 6 };
  expect(await openRollout(run, source, artifactOf(later), [], joined)).toEqual([]);
  expect(await shown({ index }, later)).toBeUndefined();
});

test('one that a run brings for a commit which was overtaken meanwhile joins that of the commit which took over', async () => {
  const { ctx, index } = await stage();
  await index.rollouts.open({ ...rolloutOf(A, 1), supersededBy: B });
  await joinNewest(ctx as unknown as Context, rolloutOf(A, 1), ['Kustomization/apps/new']);
  const members = await index.rollouts.members(rolloutOf(B, 2));
  expect(members).toContainEqual(
    expect.objectContaining({ key: 'Kustomization/apps/new', state: 'pending' }),
  );
});

test('a run for one push that finds a later commit ends the part of the source in that one, too', async () => {
  const { ctx, index } = await stage();
  const b = rolloutOf(B, 2);
  await index.rollouts.add(b, [SOURCE]);
  await index.rollouts.settle(b, APP, { state: 'ready', message: '', runId: 'run' });
  const seen = { ...source, status: { artifact: artifactOf(B) } } as unknown as WithStatus;
  const outcome = { result: 'success', ready: { message: '' } } as Outcome;
  await settleMember(sourceRunOf(ctx, { commit: A }), kinds.GitRepository as Kind, seen, outcome);
  expect(await shown({ index }, B)).toBe('success');
});
