import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { failureOf, type GitHarness, startGitHarness, withSecret } from '../support/git-source.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let git: GitHarness;
let keys: Awaited<ReturnType<typeof temporaryDirectory>>;
let commits: Record<'unsigned' | 'ssh' | 'pgp', string>;
let trusted: Record<'ssh' | 'otherSsh' | 'pgp' | 'otherPgp', string>;

const home = () => join(keys.path, 'gpg');

beforeAll(async () => {
  git = await startGitHarness();
  keys = await temporaryDirectory();
  mkdirSync(home(), { mode: 0o700 });
  for (const name of ['ssh', 'other'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys.path, name)]);
  for (const name of ['ada', 'bob']) {
    const args = [
      '--homedir',
      home(),
      '--batch',
      '--passphrase',
      '',
      '--quick-generate-key',
      name,
      'ed25519',
      'sign',
      'never',
    ];
    const { code, stderr } = await run('gpg', args);
    if (code !== 0) throw new Error(stderr);
  }
  const exported = async (name: string) =>
    String((await run('gpg', ['--homedir', home(), '--armor', '--export', name])).stdout);
  trusted = {
    ssh: readFileSync(join(keys.path, 'ssh.pub'), 'utf8'),
    otherSsh: readFileSync(join(keys.path, 'other.pub'), 'utf8'),
    pgp: await exported('ada'),
    otherPgp: await exported('bob'),
  };
  const unsigned = await git.repository.commit({ 'a.yaml': 'unsigned\n' });
  await git.repository.git(['tag', 'light']);
  await git.repository.git(['tag', '-a', '-m', 'x', 'annotated']);
  const ssh = await signed('ssh', 'signed with ssh');
  const pgp = await signed('pgp', 'signed with pgp');
  commits = { unsigned, ssh, pgp };
});
afterAll(async () => {
  await run('gpgconf', ['--homedir', home(), '--kill', 'all']);
  await git.close();
  await keys.remove();
});

/** Git's settings for signing with one of the keys. */
function signing(kind: 'ssh' | 'pgp'): string[] {
  return kind === 'ssh'
    ? ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${join(keys.path, 'ssh')}`]
    : ['-c', 'user.signingKey=ada'];
}

/** A commit on `main` and tags on it, all signed with one key. */
async function signed(kind: 'ssh' | 'pgp', message: string): Promise<string> {
  const env = { GNUPGHOME: home() };
  await git.repository.git(
    [...signing(kind), 'commit', '--quiet', '--allow-empty', '-S', '-m', `${message}\n\nbody ü`],
    env,
  );
  await git.repository.git([...signing(kind), 'tag', '-s', '-m', 'release', `${kind}-tag`], env);
  await git.repository.git(
    [...signing(kind), 'tag', '-s', '-m', 'release', `${kind}-on-unsigned`, 'light'],
    env,
  );
  return git.repository.git(['rev-parse', 'HEAD']);
}

type Mode = 'HEAD' | 'head' | 'Tag' | 'TagAndHEAD' | undefined;

const fetch = (ref: object, mode: Mode, secret: Record<string, string>) =>
  git.fetch({ ref, verify: { ...(mode ? { mode } : {}), secretRef: { name: 'keys' } } }, withSecret(secret));

test.each(['HEAD', 'head', undefined] as const)(
  'in mode %s the signature of the commit is verified',
  async (mode) => {
    const ssh = await fetch({ commit: commits.ssh }, mode, { 'ada.sshpub': trusted.ssh });
    expect(ssh.verified).toMatch(`verified signature of commit '${commits.ssh}' with key 'SHA256:`);
    const pgp = await fetch({ commit: commits.pgp }, mode, { 'ada.asc': trusted.pgp });
    expect(pgp.verified).toMatch(/with key '[0-9A-F]{16}'/);
  },
);

test('one of many trusted keys is enough, and an unnamed kind of key is read as OpenPGP', async () => {
  const secret = {
    'b.sshpub': trusted.otherSsh + trusted.ssh,
    'b.asc': trusted.otherPgp,
    plain: trusted.pgp,
  };
  expect((await fetch({ commit: commits.ssh }, 'HEAD', secret)).verified).toBeDefined();
  expect((await fetch({ commit: commits.pgp }, 'HEAD', secret)).verified).toBeDefined();
});

test('the signature of a tag is verified, and of both', async () => {
  for (const kind of ['ssh', 'pgp'] as const) {
    const secret = { 'a.sshpub': trusted.ssh, 'a.asc': trusted.pgp };
    const tag = await fetch({ tag: `${kind}-tag` }, 'Tag', secret);
    expect(tag.verified).toContain(`tag '${kind}-tag' with key`);
    const both = await fetch({ tag: `${kind}-tag` }, 'TagAndHEAD', secret);
    expect(both.verified).toMatch(/tag '.*' with key '.*' and of commit '.*' with key/);
    const named = await fetch({ name: `refs/tags/${kind}-tag` }, 'Tag', secret);
    expect(named.verified).toContain(`tag '${kind}-tag'`);
  }
});

test('a signed tag on an unsigned commit is enough for Tag, and not for TagAndHEAD', async () => {
  const secret = { 'a.sshpub': trusted.ssh };
  expect((await fetch({ tag: 'ssh-on-unsigned' }, 'Tag', secret)).verified).toBeDefined();
  const error = await failureOf(fetch({ tag: 'ssh-on-unsigned' }, 'TagAndHEAD', secret));
  expect([error.reason, error.message]).toEqual([
    'InvalidCommitSignature',
    expect.stringContaining('it is not signed'),
  ]);
});

test('without spec.verify nothing is verified', async () => {
  expect((await git.fetch({ ref: { commit: commits.ssh } })).verified).toBeUndefined();
});

test.each([
  [
    'an unsigned commit',
    () => ({ commit: commits.unsigned }),
    'HEAD',
    'InvalidCommitSignature',
    'not signed',
  ],
  [
    'a commit signed by somebody else',
    () => ({ commit: commits.ssh }),
    'HEAD',
    'InvalidCommitSignature',
    'not among the trusted keys',
  ],
  [
    'a commit signed by somebody else with gpg',
    () => ({ commit: commits.pgp }),
    'HEAD',
    'InvalidCommitSignature',
    'not among the trusted keys',
  ],
  ['a lightweight tag', () => ({ tag: 'light' }), 'Tag', 'InvalidGitObject', 'not signed'],
  ['an unsigned tag', () => ({ tag: 'annotated' }), 'Tag', 'InvalidGitObject', 'not signed'],
  [
    'a tag signed by somebody else',
    () => ({ tag: 'ssh-tag' }),
    'Tag',
    'InvalidTagSignature',
    'not among the trusted keys',
  ],
  ['a branch in mode Tag', () => ({ branch: 'main' }), 'Tag', 'InvalidVerificationMode', 'names no tag'],
  [
    'a commit in mode TagAndHEAD',
    () => ({ commit: commits.ssh }),
    'TagAndHEAD',
    'InvalidVerificationMode',
    'names no tag',
  ],
] as const)('%s is refused', async (_what, ref, mode, reason, message) => {
  const error = await failureOf(
    fetch(ref(), mode, { 'other.sshpub': trusted.otherSsh, 'other.asc': trusted.otherPgp }),
  );
  expect([error.reason, error.message]).toEqual([reason, expect.stringContaining(message)]);
});

test('a secret without a fitting key, or with none that can be read, is named', async () => {
  const noSsh = await failureOf(fetch({ commit: commits.ssh }, 'HEAD', { 'a.asc': trusted.pgp }));
  expect(noSsh.message).toContain('no key named *.sshpub');
  const unreadable = await failureOf(fetch({ commit: commits.ssh }, 'HEAD', { 'a.sshpub': 'nonsense' }));
  expect([unreadable.reason, unreadable.message]).toEqual([
    'VerificationError',
    expect.stringContaining('no SSH public key'),
  ]);
  const missing = await failureOf(git.fetch({ verify: { secretRef: { name: 'gone' } } }));
  expect([missing.reason, missing.message]).toEqual(['VerificationError', expect.stringContaining('gone')]);
});

test('a signature taken over to another commit does not hold', async () => {
  const raw = await run('git', ['-C', git.repository.directory, 'cat-file', 'commit', commits.ssh]);
  const forged = String(raw.stdout).replace('signed with ssh', 'signed by nobody');
  const { stdout } = await run(
    'git',
    ['-C', git.repository.directory, 'hash-object', '-t', 'commit', '-w', '--stdin'],
    { stdin: forged },
  );
  await git.repository.git(['update-ref', 'refs/heads/forged', String(stdout).trim()]);
  const error = await failureOf(fetch({ branch: 'forged' }, 'HEAD', { 'a.sshpub': trusted.ssh }));
  expect([error.reason, error.message]).toEqual([
    'InvalidCommitSignature',
    expect.stringContaining('does not fit'),
  ]);
});

test('a signed tag put under another name, or on another commit, does not hold', async () => {
  const tag = await git.repository.git(['rev-parse', 'ssh-tag']);
  await git.repository.git(['update-ref', 'refs/tags/renamed', tag]);
  const renamed = await failureOf(fetch({ tag: 'renamed' }, 'Tag', { 'a.sshpub': trusted.ssh }));
  expect([renamed.reason, renamed.message]).toEqual([
    'InvalidGitObject',
    expect.stringContaining("made for the name 'ssh-tag'"),
  ]);
});

test('a tag that is signed anew is looked at anew, though its commit is the same', async () => {
  await git.repository.git(['tag', '-a', '-m', 'x', 'later', 'light']);
  const before = await failureOf(fetch({ tag: 'later' }, 'Tag', { 'a.sshpub': trusted.ssh }));
  expect(before.reason).toBe('InvalidGitObject');
  await git.repository.git([...signing('ssh'), 'tag', '-f', '-s', '-m', 'x', 'later', 'light']);
  expect((await fetch({ tag: 'later' }, 'Tag', { 'a.sshpub': trusted.ssh })).verified).toContain(
    "tag 'later'",
  );
});
