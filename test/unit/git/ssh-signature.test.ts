import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import { parseAuthorizedKeys, verifySshSignature } from '../../../lib/git/ssh-signature.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PAYLOAD = Buffer.from('tree 1\n\nsigned by a real ssh-keygen\n');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  writeFileSync(join(directory.path, 'payload'), PAYLOAD);
});
afterAll(() => directory.remove());

async function keygen(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('ssh-keygen', args, { cwd: directory.path });
  if (code !== 0) throw new Error(stderr);
}

/** A new key: its public line, and how to sign with it. */
async function makeKey(name: string, args: readonly string[]) {
  await keygen(['-q', '-N', '', '-C', `${name}@test`, '-f', name, ...args]);
  return {
    line: readFileSync(join(directory.path, `${name}.pub`), 'utf8'),
    async sign(payload: Uint8Array = PAYLOAD, options: readonly string[] = ['-n', 'git']): Promise<string> {
      const file = join(directory.path, `${name}.payload`);
      writeFileSync(file, payload);
      await keygen(['-q', '-Y', 'sign', '-f', name, ...options, file]);
      const signature = readFileSync(`${file}.sig`, 'utf8');
      await run('rm', [`${file}.sig`]);
      return signature;
    },
  };
}

test.each([
  ['ed25519', ['-t', 'ed25519']],
  ['p256', ['-t', 'ecdsa', '-b', '256']],
  ['p384', ['-t', 'ecdsa', '-b', '384']],
  ['p521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa2048', ['-t', 'rsa', '-b', '2048']],
])('a signature made with a key of type %s holds, and no other payload does', async (name, args) => {
  const key = await makeKey(name, args);
  const trusted = parseAuthorizedKeys(key.line);
  const { stdout } = await run('ssh-keygen', ['-l', '-f', join(directory.path, `${name}.pub`)]);
  // Signatures of some kinds have parts of varying length.
  for (let round = 0; round < 8; round += 1) {
    const payload = Buffer.concat([PAYLOAD, Buffer.from([round])]);
    const signature = await key.sign(payload);
    expect(String(stdout)).toContain(verifySshSignature(signature, payload, trusted));
    expect(() => verifySshSignature(signature, PAYLOAD, trusted)).toThrow('does not fit');
  }
});

test('a key that is not trusted is named', async () => {
  const [mine, other] = [await makeKey('mine', ['-t', 'ed25519']), await makeKey('other', ['-t', 'ed25519'])];
  const signature = await mine.sign();
  expect(() => verifySshSignature(signature, PAYLOAD, parseAuthorizedKeys(other.line))).toThrow(
    /SHA256:.* not among the trusted/,
  );
  expect(() => verifySshSignature(signature, PAYLOAD, [])).toThrow('not among the trusted');
  expect(verifySshSignature(signature, PAYLOAD, parseAuthorizedKeys(other.line + mine.line))).toMatch(
    /^SHA256:/,
  );
});

test('a signature made for another purpose does not hold', async () => {
  const key = await makeKey('purpose', ['-t', 'ed25519']);
  const signature = await key.sign(PAYLOAD, ['-n', 'file']);
  expect(() => verifySshSignature(signature, PAYLOAD, parseAuthorizedKeys(key.line))).toThrow(
    'made for "file"',
  );
});

test('a weak RSA key is not accepted', async () => {
  const key = await makeKey('weak', ['-t', 'rsa', '-b', '1024']);
  const signature = await key.sign();
  expect(() => verifySshSignature(signature, PAYLOAD, parseAuthorizedKeys(key.line))).toThrow('2048');
});

test('a signature with any byte changed does not hold, and neither do two', async () => {
  const key = await makeKey('bytes', ['-t', 'ed25519']);
  const trusted = parseAuthorizedKeys(key.line);
  const signature = await key.sign();
  const raw = Buffer.from(signature.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  for (let at = 0; at < raw.length; at += 1) {
    const changed = Buffer.from(raw);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const armoured = `-----BEGIN SSH SIGNATURE-----\n${changed.toString('base64')}\n-----END SSH SIGNATURE-----`;
    expect(() => verifySshSignature(armoured, PAYLOAD, trusted)).toThrow();
  }
  expect(() => verifySshSignature(signature + signature, PAYLOAD, trusted)).toThrow('no SSH signature');
  expect(() => verifySshSignature('', PAYLOAD, trusted)).toThrow();
});

test('keys are read with options, comments and empty lines around them', async () => {
  const key = await makeKey('options', ['-t', 'ed25519']);
  const [type, blob] = key.line.split(' ');
  const text = `# team\n\n  ${type} ${blob}  ada@example.com\r\nfrom="10.0.0.0/8",no-pty ${type} ${blob}\nada ${type} ${blob}\n`;
  expect(parseAuthorizedKeys(text).map(({ fingerprint }) => fingerprint)).toEqual(
    Array.from({ length: 3 }, () => parseAuthorizedKeys(key.line)[0]?.fingerprint),
  );
});

test.each([
  'ssh-ed25519',
  'ssh-ed25519 AAAA',
  'hello',
  'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIB',
  '-----BEGIN PGP PUBLIC KEY BLOCK-----',
])('%j is no key', (line) => {
  expect(() => parseAuthorizedKeys(line)).toThrow('is no SSH public key');
});
