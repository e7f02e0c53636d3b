import { sha256 } from '../../lib/core/digest.ts';
import { ReconcileError } from '../../lib/core/errors.ts';
import { run } from '../../lib/exec.ts';
import type { GitAccessOptions } from '../../lib/source/git-access.ts';
import { createGitRepositorySource } from '../../lib/source/git-repository.ts';
import type { Fetched, SourceInputs, SourceKind } from '../../lib/source/source.ts';
import { readTar } from '../../lib/tar.ts';
import { GitRepository } from '../../lib/toolkit/git-repository.ts';
import { createTestRepository, type TestRepository } from './git-repository-builder.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A repository with one commit on a real server, and the source kind that fetches it. */
export interface GitHarness {
  repository: TestRepository;
  server: GitServer;
  /** `<server>/repo.git` */
  url: string;
  /** Where the source keeps its mirrors and temporary files. */
  directory: string;
  source: SourceKind<GitRepository>;
  /** Another source over the same directory, or with other settings. */
  createSource(options?: Partial<GitAccessOptions>): SourceKind<GitRepository>;
  /** The object, as its schema gives it: branch `main` unless told otherwise. */
  object(spec?: Record<string, unknown>): GitRepository;
  /** Resolves and fetches. */
  fetch(spec?: Record<string, unknown>, inputs?: Partial<SourceInputs>): Promise<Fetched>;
  close(): Promise<void>;
}

/** Bounds that no ordinary test reaches. */
export const GENEROUS = { maxFiles: 100_000, maxBytes: 500_000_000, maxRepositoryBytes: 1_000_000_000 };

/** Starts it. @param options for `git init` */
export async function startGitHarness(options: readonly string[] = []): Promise<GitHarness> {
  const repository = await createTestRepository(options);
  await repository.commit({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': 'a: 1\n' }, 'first');
  const server = await startGitServer();
  server.add('repo.git', `${repository.directory}/.git`);
  const url = `${server.url}/repo.git`;
  const { path: directory, remove } = await temporaryDirectory();
  const createSource = (more: Partial<GitAccessOptions> = {}) =>
    createGitRepositorySource({
      run,
      temporaryDirectory: directory,
      limits: GENEROUS,
      now: Date.now,
      ...more,
    });
  const source = createSource();
  function object(spec: Record<string, unknown> = {}): GitRepository {
    return GitRepository.parse({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'repo', namespace: 'apps' },
      spec: { url, interval: '1m', ref: { branch: 'main' }, ...spec },
    });
  }
  return {
    repository,
    server,
    url,
    directory,
    source,
    createSource,
    object,
    async fetch(spec, inputs) {
      const given = sourceInputs(inputs);
      const target = object(spec);
      return source.fetch(target, await source.resolve(target, given), given);
    },
    async close() {
      await server.close();
      repository.remove();
      await remove();
    },
  };
}

/** Inputs of a run without secrets. */
export function sourceInputs(given: Partial<SourceInputs> = {}): SourceInputs {
  return {
    secret: (name) =>
      Promise.reject(new ReconcileError('AuthenticationFailed', `there is no secret ${name}`)),
    fleetCredentials: undefined,
    commit: undefined,
    included: [],
    current: undefined,
    signal: new AbortController().signal,
    ...given,
  };
}

/** Inputs in which every secret holds these values. */
export function withSecret(values: Record<string, string>): Partial<SourceInputs> {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
  return { secret: async () => data };
}

/** The files of an archive as text, checked against the index. */
export function filesOf(fetched: Fetched): Record<string, string> {
  const files = [...readTar(fetched.archive, { maxFiles: 1_000_000, maxBytes: 2 ** 31 })];
  const digests = Object.fromEntries(files.map(({ path, data }) => [path, sha256(data)]));
  if (JSON.stringify(digests) !== JSON.stringify(fetched.index))
    throw new Error('the index is not that of the archive');
  return Object.fromEntries(files.map(({ path, data }) => [path, Buffer.from(data).toString('utf8')]));
}

/** The error a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<ReconcileError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ReconcileError) return error;
  throw new Error(`expected a ReconcileError, got ${error instanceof Error ? error.stack : String(error)}`);
}
