import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SecretReference } from '../../../lib/secrets/reference.ts';
import { resolveSecret, SecretError } from '../../../lib/secrets/resolve-secret.ts';

let baseDirectory: string;

beforeAll(async () => {
  baseDirectory = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
  await writeFile(join(baseDirectory, 'token'), 'from-a-file\n');
  await writeFile(join(baseDirectory, 'empty'), '\n');
  await mkdir(join(baseDirectory, 'folder'));
});

afterAll(async () => {
  await rm(baseDirectory, { recursive: true, force: true });
});

function resolve(reference: string, env: Record<string, string> = {}): Promise<string> {
  const aws = () => Promise.reject(new Error('there is no AWS here'));
  return resolveSecret(reference, { baseDirectory, env, aws });
}

describe('resolveSecret', () => {
  test('reads an environment variable', async () => {
    expect(await resolve('env:TOKEN', { TOKEN: 'from-the-environment' })).toBe('from-the-environment');
  });

  test('reads a file, relative to the fleet file or absolute', async () => {
    expect(await resolve('file:token')).toBe('from-a-file');
    expect(await resolve('file:./folder/../token')).toBe('from-a-file');
    expect(await resolve(`file:${join(baseDirectory, 'token')}`)).toBe('from-a-file');
  });

  test.each([
    ['a', 'a'],
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    [' a ', ' a '],
    ['line\nline\n', 'line\nline'],
  ])('takes one trailing line break from %j', async (value, expected) => {
    expect(await resolve('env:TOKEN', { TOKEN: value })).toBe(expected);
  });

  test.each([
    ['env:MISSING', 'cannot read the secret env:MISSING: the environment variable MISSING is not set'],
    ['env:EMPTY', 'cannot read the secret env:EMPTY: it is empty'],
    ['file:empty', 'cannot read the secret file:empty: it is empty'],
  ])('says of %s: %s', async (reference, message) => {
    await expect(resolve(reference, { EMPTY: '' })).rejects.toThrow(
      new SecretError(reference, message.split(': ').at(-1) ?? ''),
    );
    await expect(resolve(reference, { EMPTY: '' })).rejects.toThrow(message);
  });

  test('names the file that is not there or is none', async () => {
    await expect(resolve('file:nothing')).rejects.toThrow(
      `the file does not exist: ${join(baseDirectory, 'nothing')}`,
    );
    await expect(resolve('file:folder')).rejects.toThrow(
      `it is a directory: ${join(baseDirectory, 'folder')}`,
    );
  });

  test('does not repeat what is no reference, since it may be the secret itself', async () => {
    for (const secret of ['hunter2-hunter2', 'constructor:x', '__proto__:x', 'ENV:TOKEN', ':']) {
      const error = await resolve(secret).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SecretError);
      expect(String(error)).toBe(
        'SecretError: cannot read the secret ***: it must be written as env:NAME, file:PATH, aws-sm:NAME or ssm:/NAME',
      );
    }
  });
});

describe('SecretReference', () => {
  test.each(['env:TOKEN', 'file:./a b', 'file:/etc/slipway/token'])('accepts %s', (text) => {
    expect(SecretReference.parse(text)).toBe(text);
  });

  test('refuses everything else without repeating it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        fc.pre(!/^(env|file):/.test(text));
        const result = SecretReference.safeParse(text);
        expect(result.success).toBe(false);
        expect(result.error?.message).not.toContain(JSON.stringify(text).slice(1, -1));
      }),
    );
  });
});
