import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReconcileError } from '../../lib/core/errors.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import { failureOf, type GitHarness, sourceInputs, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
let source: SourceKind<GitRepository>;
let now: number;
/** A, and B after it. */
let a: string;
let b: string;

beforeEach(async () => {
  git = await startGitHarness();
  now = 1_000_000;
  source = git.createSource({ now: () => now });
  a = await git.repository.git(['rev-parse', 'HEAD']);
  b = await git.repository.commit({ 'a.yaml': 'a: 2\n' });
});
afterEach(() => git.close());

/** What the server shows. */
const show = (commit: string) => git.repository.git(['update-ref', 'refs/heads/main', commit]);

/** A push of `commit`. */
function push(
  commit: string,
  ref: Record<string, unknown> = { branch: 'main' },
): Promise<string | undefined> {
  return source.resolve(git.object({ ref }), sourceInputs({ commit }));
}

test('the commit that was pushed is what is resolved', async () => {
  expect(await push(b)).toBe(`main@sha1:${b}`);
});

test('while the server shows the old head, the push waits; then it is done', async () => {
  await show(a);
  const error = await failureOf(push(b));
  expect([error.reason, error.outcome, error.retryAfter]).toEqual(['GitOperationFailed', 'wait', 1_000]);
  expect(error.message).toContain(b);
  await show(b);
  expect(await push(b)).toBe(`main@sha1:${b}`);
});

test('deliveries of A and B that come in the other order end at B', async () => {
  expect(await push(b)).toBe(`main@sha1:${b}`);
  expect(await push(a)).toBe(`main@sha1:${b}`);
});

test('a push that was overtaken by others is done with the newest', async () => {
  const c = await git.repository.commit({ 'a.yaml': 'a: 3\n' });
  expect(await push(b)).toBe(`main@sha1:${c}`);
});

test('A to B and forced back to A ends at A, at once when A is announced', async () => {
  await show(a);
  await failureOf(push(b));
  expect(await push(a)).toBe(`main@sha1:${a}`);
});

test('without that announcement it ends at A after a minute', async () => {
  await show(a);
  await failureOf(push(b));
  now += 60_000;
  expect(await push(b)).toBe(`main@sha1:${a}`);
});

test('a branch that is not visible yet is waited for, and after a minute it is an error', async () => {
  const ref = { branch: 'new' };
  expect((await failureOf(push(b, ref))).outcome).toBe('wait');
  now += 60_000;
  const error = await failureOf(push(b, ref));
  expect([error.outcome, error.message]).toEqual(['retry', expect.stringContaining('has no refs/heads/new')]);
});

test('a head on another line of history is not taken for the result of a push', async () => {
  await git.repository.git(['checkout', '--quiet', '--orphan', 'line']);
  const other = await git.repository.commit({ 'a.yaml': 'other\n' });
  await show(other);
  expect(await failureOf(push(b))).toBeInstanceOf(ReconcileError);
  now += 60_000;
  expect(await push(b)).toBe(`main@sha1:${other}`);
});

test('a pinned commit stays, whatever is pushed', async () => {
  expect(await push(b, { commit: a })).toBe(`sha1:${a}`);
});

test('a tag is announced by its commit or by its own id', async () => {
  await git.repository.git(['tag', '-a', '-m', 'x', 'v1.0.0', b]);
  const tag = await git.repository.git(['rev-parse', 'v1.0.0']);
  for (const announced of [tag, b]) expect(await push(announced, { semver: '*' })).toBe(`v1.0.0@sha1:${b}`);
});

test('a commit that was pushed is fetched while the server is asked for its refs', async () => {
  await push(b);
  await git.server.close();
  const fetched = await source.fetch(
    git.object({ ref: { branch: 'main' } }),
    `main@sha1:${b}`,
    sourceInputs(),
  );
  expect(fetched.commit?.hash).toBe(b);
});

test('a commit that the server does not have is waited for', async () => {
  const error = await failureOf(push('f'.repeat(40)));
  expect([error.outcome, error.message]).toEqual(['wait', expect.stringContaining('still shows')]);
});
