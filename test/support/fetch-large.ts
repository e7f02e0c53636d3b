/** Fetches the branch `large` of a repository in a process of its own, and prints how many files came and how much memory it took. */
import process from 'node:process';
import { run } from '../../lib/exec.ts';
import { createGitRepositorySource } from '../../lib/source/git-repository.ts';
import { GitRepository } from '../../lib/toolkit/git-repository.ts';

const [url = '', temporaryDirectory = ''] = process.argv.slice(2);
const limits = { maxFiles: 100_000, maxBytes: 500_000_000, maxRepositoryBytes: 1_000_000_000 };
const source = createGitRepositorySource({ run, temporaryDirectory, limits, now: Date.now });
const object = GitRepository.parse({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'large', namespace: 'test' },
  spec: { url, interval: '1m', ref: { branch: 'large' } },
});
const { index } = await source.fetch(object, undefined, {
  secret: () => Promise.reject(new Error('no secret')),
  fleetCredentials: undefined,
  commit: undefined,
  included: [],
  current: undefined,
  signal: new AbortController().signal,
});
const maxRssBytes = process.resourceUsage().maxRSS * 1_024;
process.stdout.write(JSON.stringify({ files: Object.keys(index).length, maxRssBytes }));
