import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunOptions, run } from '../../lib/exec.ts';
import { useGitea } from '../support/cluster.ts';
import {
  failureOf,
  filesOf,
  type GitHarness,
  sourceInputs,
  startGitHarness,
  withSecret,
} from '../support/git-source.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PASSPHRASE = 'c4nary passphrase';

let git: GitHarness;
let repository: GiteaRepository;
let knownHosts: string;
let keys: Awaited<ReturnType<typeof temporaryDirectory>>;

const key = (name: string) => readFileSync(join(keys.path, name), 'utf8');

beforeAll(async () => {
  git = await startGitHarness();
  keys = await temporaryDirectory();
  const gitea = await useGitea();
  knownHosts = gitea.knownHosts;
  repository = await gitea.createRepository('git-ssh', { files: { 'a.yaml': 'over ssh\n' } });
  for (const [name, word] of [
    ['plain', ''],
    ['locked', PASSPHRASE],
    ['stranger', ''],
  ] as const) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', word, '-f', join(keys.path, name)]);
  }
  for (const name of ['plain', 'locked']) {
    await gitea.api('POST', '/user/keys', { title: `git-ssh-${name}`, key: key(`${name}.pub`) });
  }
});
afterAll(async () => {
  await repository.delete();
  await git.close();
  await keys.remove();
});

const spec = () => ({ url: repository.sshUrl, secretRef: { name: 'ssh' } });
const secret = (name: string, more: Record<string, string> = {}) =>
  withSecret({ identity: key(name), known_hosts: knownHosts, ...more });

test('a repository is fetched with an SSH key, and with one that needs a passphrase', async () => {
  expect(filesOf(await git.fetch(spec(), secret('plain')))).toEqual({ 'a.yaml': 'over ssh\n' });
  expect(filesOf(await git.fetch(spec(), secret('locked', { password: PASSPHRASE })))).toEqual({
    'a.yaml': 'over ssh\n',
  });
});

test('the address that was checked is dialled, under the host key of the name', async () => {
  const policy = { check: async () => [{ address: '127.0.0.1', family: 4 as const }] };
  const url = repository.sshUrl.replace(/127\.0\.0\.1|localhost/, 'git.invalid');
  const hosts = knownHosts.replace(/127\.0\.0\.1|localhost/g, 'git.invalid');
  const source = git.createSource({ policy });
  const inputs = sourceInputs(secret('plain', { known_hosts: hosts }));
  expect(await source.resolve(git.object({ ...spec(), url }), inputs)).toMatch(/^main@sha1:/);
  const wrong = sourceInputs(secret('plain'));
  expect((await failureOf(source.resolve(git.object({ ...spec(), url }), wrong))).reason).toBe(
    'AuthenticationFailed',
  );
});

test.each([
  ['a key that the server does not know', () => secret('stranger'), 'does not accept the SSH identity'],
  ['an unknown host', () => secret('plain', { known_hosts: '# nobody\n' }), 'host key'],
  ['a host with another key', () => secret('plain', { known_hosts: otherHostKey() }), 'host key'],
  ['no passphrase', () => secret('locked'), 'does not accept the SSH identity'],
  ['a wrong passphrase', () => secret('locked', { password: 'wrong' }), 'does not accept the SSH identity'],
  ['no known_hosts', () => withSecret({ identity: key('plain') }), 'known_hosts'],
  ['no identity', () => withSecret({ known_hosts: knownHosts }), 'identity'],
])('%s is refused', async (_what, inputs, message) => {
  const error = await failureOf(git.fetch(spec(), inputs()));
  expect([error.reason, error.message]).toEqual(['AuthenticationFailed', expect.stringContaining(message)]);
});

/** The server's name with the key of somebody else. */
function otherHostKey(): string {
  const [type, blob] = key('stranger.pub').split(' ');
  return `${knownHosts.split(' ')[0]} ${type} ${blob}\n`;
}

test('SSH without a secret is refused', async () => {
  expect((await failureOf(git.fetch({ url: repository.sshUrl }))).reason).toBe('AuthenticationFailed');
});

test('neither key nor passphrase stands in arguments, environment or files', async () => {
  const seen: string[] = [];
  const spying = async (command: string, args: readonly string[], options?: RunOptions) => {
    seen.push(JSON.stringify([command, args, options?.env]));
    const result = await run(command, args, options);
    seen.push(
      ...readdirSync(git.directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.parentPath.includes('slipway-git-'))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
    );
    return result;
  };
  const inputs = sourceInputs(secret('locked', { password: PASSPHRASE }));
  await git.createSource({ run: spying }).resolve(git.object(spec()), inputs);
  expect(seen.join('\n')).toContain('StrictHostKeyChecking=yes');
  for (const text of seen) {
    expect(text).not.toContain(PASSPHRASE);
    expect(text).not.toContain('PRIVATE KEY');
  }
});
