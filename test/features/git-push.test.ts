import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../lib/exec.ts';
import { parseCommit } from '../../lib/git/commit.ts';
import { GitError } from '../../lib/git/errors.ts';
import { fetchCommit } from '../../lib/git/fetch.ts';
import { readWhole } from '../../lib/git/objects.ts';
import { type PushedRef, pushCommit } from '../../lib/git/push.ts';
import { type GitSession, openSession } from '../../lib/git/session.ts';
import { signWithPgp } from '../../lib/git/sign-pgp.ts';
import { signWithSsh } from '../../lib/git/sign-ssh.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { readTrustedKeys, verifyObject } from '../../lib/git/verify.ts';
import { writeCommit } from '../../lib/git/write-commit.ts';
import { type GitHarness, startGitHarness } from '../support/git-source.ts';

const AT = Date.parse('2026-03-01T10:00:00Z');

describe('writing to Git', () => {
  let harness: GitHarness;
  let session: GitSession;
  let gitDir: string;
  let place: string;
  const deps = { run, temporaryDirectory: '', now: Date.now };
  const signal = new AbortController().signal;

  beforeAll(async () => {
    harness = await startGitHarness();
    harness.server.credentials = { username: 'ada', password: 'the-password-of-ada' };
    for (const [name, value] of Object.entries({
      'http.receivepack': 'true',
      'receive.denyCurrentBranch': 'ignore',
      'receive.advertisePushOptions': 'true',
    }))
      await harness.repository.git(['config', name, value]);
    place = mkdtempSync(join(tmpdir(), 'slipway-push-'));
    deps.temporaryDirectory = place;
  });
  afterAll(async () => {
    await session.close();
    await harness.close();
    rmSync(place, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await session?.close();
    session = await openSession(deps, {
      url: parseGitUrl(harness.url),
      auth: { basic: { username: 'ada', password: 'the-password-of-ada' } },
      timeout: 30_000,
      signal,
    });
    gitDir = join(place, `${crypto.randomUUID()}.git`);
    await session.git(['init', '--quiet', '--bare', gitDir], { what: 'make a repository' });
    await harness.repository.git(['config', 'core.hooksPath', '/dev/null']);
  });

  const head = (branch = 'main') => harness.repository.git(['rev-parse', branch]);

  async function make(
    parent: string,
    files: Record<string, string | Uint8Array>,
    more: Partial<Parameters<typeof writeCommit>[1]> = {},
  ): Promise<string> {
    await fetchCommit(session, { gitDir, commit: parent, ref: 'refs/heads/main', maxBytes: 1e9 });
    const { id } = await writeCommit(session, {
      gitDir,
      parent,
      files: new Map(Object.entries(files).map(([path, data]) => [path, Buffer.from(data)])),
      executable: new Set(),
      author: { name: 'Bot', email: 'bot@example.com' },
      message: 'Update\n\nbody',
      at: AT,
      ...more,
    });
    return id;
  }

  const push = (commit: string, ref: PushedRef, options = {}) =>
    pushCommit(session, { gitDir, commit, refs: [ref], options });

  it('changes the files that it is given and no others, keeps modes, and names the author', async () => {
    await harness.repository.commit({
      'run.sh': { executable: 'echo 1\n' },
      'dir/a b.yaml': 'a: 1\n',
      link: { link: 'run.sh' },
    });
    const parent = await head();
    const odd = 'é "quoted"\\.yaml';
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x00, 0xff]);
    const commit = await make(
      parent,
      { 'run.sh': 'echo 2\n', 'dir/a b.yaml': bytes, [odd]: 'x' },
      { executable: new Set(['run.sh']) },
    );
    expect(await push(commit, { name: 'refs/heads/main' })).toBe('pushed');
    expect(await head()).toBe(commit);
    const { git } = harness.repository;
    expect(await git(['log', '-1', '--format=%an <%ae>|%cn <%ce>|%at|%B'])).toBe(
      `Bot <bot@example.com>|Bot <bot@example.com>|${AT / 1000}|Update\n\nbody`,
    );
    expect(
      await git(['-c', 'core.quotePath=false', 'diff', '--raw', '--abbrev=4', '-z', `${commit}^`, commit]),
    ).toMatch(
      /^:100644 100644 \w+ \w+ M\0dir\/a b\.yaml\0:100755 100755 \w+ \w+ M\0run\.sh\0:000000 100644 \w+ \w+ A\0é "quoted"\\\.yaml\0$/,
    );
    const written = await run('git', ['show', `${commit}:dir/a b.yaml`], {
      cwd: harness.repository.directory,
    });
    expect(Buffer.from(written.stdout)).toEqual(bytes);
    expect(await git(['fsck', '--strict', '--no-dangling'])).toBe('');
  });

  it('says that the branch has moved, and leaves what somebody else has pushed', async () => {
    const parent = await head();
    const commit = await make(parent, { 'a.yaml': 'a: 2\n' });
    const theirs = await harness.repository.commit({ 'b.yaml': 'b: 1\n' });
    expect(await push(commit, { name: 'refs/heads/main' })).toBe('moved');
    expect(await head()).toBe(theirs);
    const again = await make(theirs, { 'a.yaml': 'a: 2\n' });
    expect(await push(again, { name: 'refs/heads/main' })).toBe('pushed');
    expect(await harness.repository.git(['show', 'main:b.yaml'])).toBe('b: 1');
  });

  it('moves several branches together or not at all, so that none is left behind at a commit that came to nothing', async () => {
    const parent = await head();
    const commit = await make(parent, { 'a.yaml': 'a: 3\n' });
    const theirs = await harness.repository.commit({ 'c.yaml': 'c: 1\n' });
    const refs = [{ name: 'refs/heads/main' }, { name: 'refs/heads/mirror' }];
    expect(await pushCommit(session, { gitDir, commit, refs })).toBe('moved');
    expect(await harness.repository.git(['branch', '--list', 'mirror'])).toBe('');
    const again = await make(theirs, { 'a.yaml': 'a: 3\n' });
    expect(await pushCommit(session, { gitDir, commit: again, refs })).toBe('pushed');
    expect([await head(), await head('mirror')]).toEqual([again, again]);
  });

  it('overwrites a branch only while it is what it was seen to be', async () => {
    const parent = await head();
    const [one, two, three] = [
      await make(parent, { 'a.yaml': 'one' }),
      await make(parent, { 'a.yaml': 'two' }),
      await make(parent, { 'a.yaml': 'three' }),
    ];
    const name = 'refs/heads/auto';
    expect(await push(one, { name, overwrite: '' })).toBe('pushed');
    expect(await push(two, { name, overwrite: '' })).toBe('moved');
    expect(await push(two, { name })).toBe('moved');
    expect(await push(two, { name, overwrite: one })).toBe('pushed');
    expect(await push(three, { name, overwrite: one })).toBe('moved');
    expect(await head('auto')).toBe(two);
  });

  it('hands over push options, and what a hook says when it refuses', async () => {
    const hooks = join(harness.repository.directory, '.git', 'hooks');
    writeFileSync(
      join(hooks, 'pre-receive'),
      '#!/bin/sh\necho "$GIT_PUSH_OPTION_0" > "$GIT_DIR/options"\n[ "$GIT_PUSH_OPTION_0" = "ok=yes" ] || { echo "no commits on Fridays" >&2; exit 1; }\n',
      { mode: 0o755 },
    );
    await harness.repository.git(['config', 'core.hooksPath', hooks]);
    const commit = await make(await head(), { 'a.yaml': 'options' });
    const refused = push(commit, { name: 'refs/heads/main' }, { ok: 'no' });
    await expect(refused).rejects.toThrow(
      /the server refuses it: .*pre-receive hook declined.*no commits on Fridays/,
    );
    await expect(refused).rejects.toMatchObject({ fault: 'refused' });
    expect(await push(commit, { name: 'refs/heads/main' }, { ok: 'yes' })).toBe('pushed');
    expect((await readFile(join(harness.repository.directory, '.git', 'options'), 'utf8')).trim()).toBe(
      'ok=yes',
    );
    await expect(push(commit, { name: 'refs/heads/x' }, { a: 'b\nc' })).rejects.toThrow(/line breaks/);
  });

  it('says that the right to write is missing, and shows no credential', async () => {
    const commit = await make(await head(), { 'a.yaml': 'denied' });
    harness.server.intercept = (request, response) => {
      if (!request.url?.includes('receive-pack')) return false;
      response.writeHead(403).end('no');
      return true;
    };
    try {
      const error = await push(commit, { name: 'refs/heads/main' }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(GitError);
      expect((error as GitError).fault).toBe('auth');
      expect((error as GitError).message).toMatch(/no right to write/);
      expect((error as GitError).message).not.toContain('the-password');
    } finally {
      harness.server.intercept = undefined;
    }
  });

  it('does not let an author break out of its line', async () => {
    const commit = await make(
      await head(),
      { 'a.yaml': 'author' },
      {
        author: { name: 'A\nparent x <evil>', email: 'a>\ntree y' },
      },
    );
    const [bytes = Buffer.alloc(0)] = await readWhole(session, gitDir, [commit]);
    expect(parseCommit(bytes).headers.get('author')).toBe(`Aparent x evil <atree y> ${AT / 1000} +0000`);
  });

  describe('signatures', () => {
    async function verified(commit: string, trusted: Record<string, string>): Promise<string> {
      const [bytes = Buffer.alloc(0)] = await readWhole(session, gitDir, [commit]);
      const keys = readTrustedKeys(
        Object.fromEntries(Object.entries(trusted).map(([name, text]) => [name, Buffer.from(text)])),
      );
      return verifyObject({ run, temporaryDirectory: place }, parseCommit(bytes), keys, signal);
    }

    it.each(['ed25519', 'ecdsa', 'rsa'])(
      'are made with an SSH key (%s), with and without a passphrase',
      async (type) => {
        for (const passphrase of ['', 'a secret word']) {
          const file = join(place, `${type}-${passphrase.length}`);
          await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'bot', '-f', file]);
          const key = await readFile(file, 'utf8');
          const sign = (payload: Uint8Array) => signWithSsh(deps, payload, { key, passphrase, signal });
          const commit = await make(await head(), { 'a.yaml': `signed ${type}` }, { sign });
          expect(await verified(commit, { 'bot.sshpub': await readFile(`${file}.pub`, 'utf8') })).toMatch(
            /^SHA256:/,
          );
          if (passphrase === '') continue;
          const wrong = signWithSsh(deps, Buffer.from('x'), { key, passphrase: 'another word', signal });
          await expect(wrong).rejects.toThrow('the password does not open the key');
          const none = signWithSsh(deps, Buffer.from('x'), { key, passphrase: '', signal });
          await expect(none).rejects.toThrow("the key is encrypted, and there is no 'password' beside it");
        }
        const broken = signWithSsh(deps, Buffer.from('x'), { key: 'no key', passphrase: '', signal });
        await expect(broken).rejects.toThrow(/the key cannot be used/);
      },
    );

    it('are made with an OpenPGP key, with and without a passphrase', async () => {
      for (const passphrase of ['', 'a secret word']) {
        const { key, publicKey } = await pgpKey(passphrase);
        const sign = (payload: Uint8Array) => signWithPgp(deps, payload, { key, passphrase, signal });
        const commit = await make(await head(), { 'a.yaml': `signed ${passphrase}` }, { sign });
        expect(await verified(commit, { 'bot.asc': publicKey })).toMatch(/^[0-9A-F]{16}/);
        const withoutPrivate = signWithPgp(deps, Buffer.from('x'), { key: publicKey, passphrase, signal });
        await expect(withoutPrivate).rejects.toThrow('the key has no private part');
        if (passphrase === '') continue;
        const wrong = signWithPgp(deps, Buffer.from('x'), { key, passphrase: 'another', signal });
        await expect(wrong).rejects.toThrow('the passphrase does not open the key');
        const none = signWithPgp(deps, Buffer.from('x'), { key, passphrase: '', signal });
        await expect(none).rejects.toThrow("the key is encrypted, and there is no 'passphrase' beside it");
      }
      const broken = signWithPgp(deps, Buffer.from('x'), { key: 'no key', passphrase: '', signal });
      await expect(broken).rejects.toThrow(/cannot be read/);
    });
  });
});

/** Makes a key pair with gpg in a key ring of its own. */
async function pgpKey(passphrase: string): Promise<{ key: string; publicKey: string }> {
  const home = mkdtempSync(join(tmpdir(), 'gpg-'));
  const env = { HOME: home, GNUPGHOME: home };
  const gpg = async (...args: string[]) => {
    const common = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', passphrase];
    const { stdout, stderr, code } = await run('gpg', [...common, ...args], { env });
    if (code !== 0) throw new Error(stderr);
    return Buffer.from(stdout).toString('utf8');
  };
  try {
    await gpg('--quick-generate-key', 'Bot <bot@example.com>', 'ed25519', 'sign', 'never');
    return { key: await gpg('--armor', '--export-secret-keys'), publicKey: await gpg('--armor', '--export') };
  } finally {
    await run('gpgconf', ['--kill', 'gpg-agent'], { env });
    rmSync(home, { recursive: true, force: true });
  }
}
