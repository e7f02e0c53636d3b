import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MergeState, PullRequests } from '../../lib/forge/pull-requests.ts';
import { failureOf } from './forge.ts';

/** What a provider shows of a pull request. */
export interface ShownPull {
  title: string;
  body: string;
  head: string;
  base: string;
  state: 'open' | 'closed' | 'merged';
}

/** A provider with one repository that has branches `auto-1`, `auto-2` and on, each ahead of `main`, real or fake. */
export interface PullRequestsSubject {
  api: PullRequests;
  /** The same provider, asked with a credential that it refuses. */
  unauthorized: PullRequests;
  project: string;
  /** The commit of a branch. */
  head(branch: string): Promise<string>;
  shown(number: string): Promise<ShownPull>;
  /** Lets the checks of a commit come to something. */
  check(commit: string, state: 'pending' | 'passed' | 'failed'): Promise<void>;
  stop(): Promise<void>;
}

/** What every provider of pull requests must do. @param pending what it does with one whose checks still run */
export function pullRequestsContract(
  name: string,
  pending: MergeState,
  start: () => Promise<PullRequestsSubject>,
): void {
  describe(`pull requests of ${name}`, () => {
    let subject: PullRequestsSubject;
    let next = 0;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject.stop());

    const text = { title: 'Update acme/web to 1.1.0', body: 'a | b\n\n- `c` é\n<!-- mark -->' };

    async function opened() {
      next += 1;
      const branches = { head: `auto-${next}`, base: 'main' };
      const pull = await subject.api.open(subject.project, branches, text);
      return { branches, pull, number: pull.number };
    }

    it('opens one, and finds it by its branches', async () => {
      const { branches, pull, number } = await opened();
      expect(await subject.shown(number)).toEqual({ ...text, ...branches, state: 'open' });
      expect(pull.url).toMatch(/^https?:\/\/.*\d+$/);
      expect(await subject.api.findOpen(subject.project, branches)).toMatchObject({ number, ...text });
      expect(await subject.api.findOpen(subject.project, { ...branches, head: 'other' })).toBeUndefined();
      expect(await subject.api.findOpen(subject.project, { ...branches, base: 'other' })).toBeUndefined();
    });

    it('changes what it says', async () => {
      const { branches, number } = await opened();
      const newer = { title: 'Update 2 images', body: 'new body' };
      await subject.api.update(subject.project, number, newer);
      expect(await subject.shown(number)).toEqual({ ...newer, ...branches, state: 'open' });
    });

    it('closes one, and finds it again among those that were not merged', async () => {
      const { branches, number } = await opened();
      expect(await subject.api.findDeclined(subject.project, branches)).toEqual([]);
      await subject.api.close(subject.project, number);
      expect((await subject.shown(number)).state).toBe('closed');
      expect(await subject.api.findOpen(subject.project, branches)).toBeUndefined();
      expect(await subject.api.findDeclined(subject.project, branches)).toMatchObject([{ number, ...text }]);
    });

    it('merges one when its checks have passed, and not without any', async () => {
      const { branches, number } = await opened();
      const commit = await subject.head(branches.head);
      const merge = () => subject.api.mergeWhenChecksPass(subject.project, number, commit);
      expect(await merge()).toBe('waiting');
      expect((await subject.shown(number)).state).toBe('open');
      await subject.check(commit, 'failed');
      expect(await merge()).not.toBe('merged');
      expect((await subject.shown(number)).state).toBe('open');
      await subject.check(commit, 'pending');
      expect(await merge()).toBe(pending);
      expect((await subject.shown(number)).state).toBe('open');
      if (pending === 'scheduled') return;
      await subject.check(commit, 'passed');
      // A provider may need a moment to know whether it can be merged.
      for (let attempt = 0; attempt < 100 && (await merge()) !== 'merged'; attempt += 1);
      expect((await subject.shown(number)).state).toBe('merged');
      expect(await subject.api.findDeclined(subject.project, branches)).toEqual([]);
    });

    it('merges one whose checks have passed already', async () => {
      const { branches, number } = await opened();
      const commit = await subject.head(branches.head);
      await subject.check(commit, 'passed');
      for (let attempt = 0; attempt < 100; attempt += 1) {
        // A provider may need a moment to know whether it can be merged.
        if ((await subject.api.mergeWhenChecksPass(subject.project, number, commit)) === 'merged') break;
      }
      expect((await subject.shown(number)).state).toBe('merged');
    });

    it('says that a credential is refused, without showing it', async () => {
      const call = subject.unauthorized.findOpen(subject.project, { head: 'a', base: 'b' });
      expect(await failureOf(call)).toBe('unauthorized');
      await expect(call).rejects.not.toThrow(/wrong-token/);
    });

    it('asks for nothing under a project that is none', async () => {
      for (const project of ['', 'acme', '../..', 'acme//fleet'])
        expect(await failureOf(subject.api.findOpen(project, { head: 'a', base: 'b' }))).toBe('rejected');
    });
  });
}
