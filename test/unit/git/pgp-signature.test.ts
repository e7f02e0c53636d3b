import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecError, type RunOptions, run } from '../../../lib/exec.ts';
import { verifyPgpSignature } from '../../../lib/git/pgp-signature.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PAYLOAD = Buffer.from('tree 1\n\nsigned by a real gpg\n');
const signal = new AbortController().signal;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await run('gpgconf', ['--homedir', join(directory.path, 'gpg'), '--kill', 'all']);
  await directory.remove();
});

async function gpg(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const home = join(directory.path, 'gpg');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const common = ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
  const result = await run('gpg', [...common, ...args], options);
  if (result.code !== 0) throw new Error(result.stderr);
  return String(result.stdout);
}

/** @param time when gpg believes it is, for keys and signatures of the past */
async function makeKey(name: string, expires = 'never', time: readonly string[] = []) {
  await gpg([...time, '--quick-generate-key', `${name} <${name}@example.com>`, 'ed25519', 'sign', expires]);
  return {
    publicKey: () => gpg(['--armor', '--export', `${name}@example.com`]),
    sign: (payload: Uint8Array = PAYLOAD) =>
      gpg([...time, '--armor', '--detach-sign', '--local-user', `${name}@example.com`], { stdin: payload }),
  };
}

const check = (signature: string, keys: string[], payload: Uint8Array = PAYLOAD) =>
  verifyPgpSignature({ run, temporaryDirectory: directory.path }, signature, payload, keys, signal);

test('a good signature gives the id of its key; another payload or key does not hold', async () => {
  const [ada, bob] = [await makeKey('ada'), await makeKey('bob')];
  const signature = await ada.sign();
  const listed = await gpg(['--with-colons', '--list-keys', 'ada@example.com']);
  expect(listed).toContain(await check(signature, [await bob.publicKey(), await ada.publicKey()]));
  await expect(check(signature, [await ada.publicKey()], Buffer.from('other'))).rejects.toThrow(
    'does not fit',
  );
  await expect(check(signature, [await bob.publicKey()])).rejects.toThrow('not among the trusted keys');
  await expect(check(signature, [])).rejects.toThrow('no OpenPGP key');
  await expect(check(signature, ['no key at all'])).rejects.toThrow('cannot be read');
  await expect(
    check(signature + (await bob.sign()), [await ada.publicKey(), await bob.publicKey()]),
  ).rejects.toThrow();
});

test('a key that has expired makes its signatures void', async () => {
  const old = await makeKey('old', '1d', ['--faked-system-time', '20200101T000000!']);
  await expect(check(await old.sign(), [await old.publicKey()])).rejects.toThrow('expired');
});

test('a revoked key makes its signatures void', async () => {
  const key = await makeKey('revoked');
  const signature = await key.sign();
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
    await gpg(['--with-colons', '--list-keys', 'revoked@example.com']),
  )?.[1];
  const certificate = join(directory.path, 'gpg', 'openpgp-revocs.d', `${fingerprint}.rev`);
  await run('sed', ['-i', 's/^:---/---/', certificate]);
  await gpg(['--import', certificate]);
  await expect(check(signature, [await key.publicKey()])).rejects.toThrow('revoked');
});

test('without gpg on the machine, the error says what to install', async () => {
  const missing = () => Promise.reject(new ExecError('not-found', 'gpg: not found'));
  const deps = { run: missing, temporaryDirectory: directory.path };
  await expect(verifyPgpSignature(deps, 'x', PAYLOAD, ['key'], signal)).rejects.toThrow('package gnupg');
});
