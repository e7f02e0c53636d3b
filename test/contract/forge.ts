import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForgeError, type ForgeErrorKind } from '../../lib/forge/errors.ts';
import type { CommitStatus, Forge, StatusState } from '../../lib/forge/forge.ts';

/** What the provider shows of a status. */
export interface ShownStatus {
  context: string;
  /** In the provider's own words. */
  state: string;
  description: string;
  /** Undefined when it shows no link. */
  targetUrl: string | undefined;
}

/** A provider with one repository and one commit, real or fake. */
export interface ForgeSubject {
  forge: Forge;
  /** The same provider, asked with a credential that it refuses. */
  unauthorized: Forge;
  project: string;
  commit: string;
  /** A commit of the repository that came from a pull request. */
  merged: { commit: string; number: string; title: string; author: string };
  /** The newest status of each context of a commit. */
  statuses(commit: string): Promise<ShownStatus[]>;
  password: string;
  stop(): Promise<void>;
}

/** What differs between providers. */
export interface ForgeTraits {
  states: Record<StatusState, string>;
  maxDescription: number;
  /** Whether a status without a link is shown with one of the commit. */
  alwaysLinks: boolean;
}

/** The kind of ForgeError that a call fails with; `none` when it succeeds. */
export async function failureOf(call: Promise<unknown>): Promise<ForgeErrorKind | 'none'> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return 'none';
  expect(error).toBeInstanceOf(ForgeError);
  return (error as ForgeError).kind;
}

/** What every Git provider must do. */
export function forgeContract(name: string, traits: ForgeTraits, start: () => Promise<ForgeSubject>): void {
  describe(`forge ${name}`, () => {
    let subject: ForgeSubject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject.stop());

    const status = (changes: Partial<CommitStatus> = {}): CommitStatus => ({
      project: subject.project,
      commit: subject.commit,
      context: 'slipway/staging',
      state: 'success',
      description: '3 changed, 12 unchanged',
      targetUrl: 'https://slipway.example.org/runs/1',
      ...changes,
    });

    async function shown(context: string): Promise<ShownStatus | undefined> {
      return (await subject.statuses(subject.commit)).find((one) => one.context === context);
    }

    it('writes a status with its link', async () => {
      await subject.forge.setCommitStatus(status());
      expect(await shown('slipway/staging')).toEqual({
        context: 'slipway/staging',
        state: traits.states.success,
        description: '3 changed, 12 unchanged',
        targetUrl: 'https://slipway.example.org/runs/1',
      });
    });

    it('writes the same status again without harm', async () => {
      await subject.forge.setCommitStatus(status({ context: 'again', state: 'pending' }));
      await subject.forge.setCommitStatus(status({ context: 'again', state: 'pending' }));
      expect((await shown('again'))?.state).toBe(traits.states.pending);
    });

    it('goes from pending to each final state, and back to pending for a new run', async () => {
      for (const state of ['success', 'failure', 'error', 'superseded'] as const) {
        const context = `to ${state}`;
        await subject.forge.setCommitStatus(status({ context, state: 'pending' }));
        await subject.forge.setCommitStatus(status({ context, state }));
        expect((await shown(context))?.state).toBe(traits.states[state]);
        await subject.forge.setCommitStatus(status({ context, state: 'pending' }));
        expect((await shown(context))?.state).toBe(traits.states.pending);
      }
    });

    it('tells contexts apart, however long and alike', async () => {
      const long = 'slipway/production-europe-west/Kustomization/flux-system/apps';
      await subject.forge.setCommitStatus(status({ context: `${long}-one`, state: 'success' }));
      await subject.forge.setCommitStatus(status({ context: `${long}-two`, state: 'failure' }));
      expect((await shown(`${long}-one`))?.state).toBe(traits.states.success);
      expect((await shown(`${long}-two`))?.state).toBe(traits.states.failure);
    });

    it('cuts a long description to the limit of the provider', async () => {
      await subject.forge.setCommitStatus(status({ context: 'long', description: 'é'.repeat(1_000) }));
      const description = (await shown('long'))?.description ?? '';
      expect(description).toHaveLength(traits.maxDescription);
      expect(description.endsWith('é…')).toBe(true);
    });

    it('keeps a description to one printable line without credentials or hidden links', async () => {
      const description = 'a\nb\u202e\u0007 [x](https://evil.example) https://me:hunter22@h/ ✓';
      await subject.forge.setCommitStatus(status({ context: 'odd', description }));
      expect((await shown('odd'))?.description).toBe('a b [x] (https://evil.example) https://***@h/ ✓');
    });

    it('does not link to anything but web pages', async () => {
      for (const targetUrl of ['javascript:alert(1)', 'not a url', undefined]) {
        const context = `link ${String(targetUrl).slice(0, 3)}`;
        const { targetUrl: _, ...rest } = status({ context });
        await subject.forge.setCommitStatus({ ...rest, ...(targetUrl === undefined ? {} : { targetUrl }) });
        const link = (await shown(context))?.targetUrl;
        if (traits.alwaysLinks) expect(link).toContain(subject.commit);
        else expect(link).toBeUndefined();
      }
    });

    it('says that a commit or repository is gone', async () => {
      const commit = '1234567890'.repeat(4);
      expect(await failureOf(subject.forge.setCommitStatus(status({ commit })))).toBe('gone');
      const project = `${subject.project.split('/')[0]}/no-such-repository`;
      expect(await failureOf(subject.forge.setCommitStatus(status({ project })))).toBe('gone');
    });

    it('says that a credential is refused, without showing it', async () => {
      const call = subject.unauthorized.setCommitStatus(status());
      expect(await failureOf(call)).toBe('unauthorized');
      await expect(call).rejects.not.toThrow(/wrong-token/);
    });

    it('asks for nothing under a project or commit that is none', async () => {
      for (const project of ['', 'acme', '../..', 'acme/..', 'acme//fleet', './fleet'])
        expect(await failureOf(subject.forge.setCommitStatus(status({ project })))).toBe('rejected');
      for (const commit of ['', 'main', 'abc', `${'a'.repeat(39)}/`])
        expect(await failureOf(subject.forge.setCommitStatus(status({ commit })))).toBe('rejected');
    });

    it('finds the pull request that a commit came from', async () => {
      const { commit, ...pull } = subject.merged;
      expect(await subject.forge.pullRequestOf(subject.project, commit)).toMatchObject(pull);
      expect(await subject.forge.pullRequestOf(subject.project, subject.commit)).toBeUndefined();
    });

    it('gives a credential for Git over HTTPS', async () => {
      const credentials = await subject.forge.gitCredentials();
      expect(credentials?.password).toBe(subject.password);
      expect(credentials?.username).not.toBe('');
    });
  });
}
