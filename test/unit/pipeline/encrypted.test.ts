import { expect, test } from 'vitest';
import { encryptedTexts, isEncrypted, maskEncrypted } from '../../../lib/pipeline/encrypted.ts';

const cipher = (type = 'str') => `ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:${type}]`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const sops = { mac: cipher(), lastmodified: '2026-01-01T00:00:00Z' };

function object(kind: string, rest: object) {
  return { apiVersion: 'v1', kind, metadata: { name: 'one', namespace: 'apps' }, ...rest };
}

test('an encrypted Secret keeps its keys, loses its values and the metadata of SOPS', () => {
  const secret = object('Secret', { stringData: { user: cipher() }, data: { password: cipher() }, sops });
  expect(maskEncrypted(secret)).toEqual(
    object('Secret', { stringData: { user: '**SOPS**' }, data: { password: base64('**SOPS**') } }),
  );
});

test('values of other kinds are masked at any depth, also in lists', () => {
  const config = object('Config', {
    spec: { list: [{ token: cipher() }, 'plain'], count: cipher('int') },
    sops,
  });
  expect(maskEncrypted(config)).toEqual(
    object('Config', { spec: { list: [{ token: '**SOPS**' }, 'plain'], count: '**SOPS**' } }),
  );
});

test('entries of a Secret that were generated from encrypted files are masked, without the metadata of a file of variables', () => {
  const file = JSON.stringify({ a: cipher(), sops });
  const secret = object('Secret', {
    data: {
      'config.json': base64(file),
      TOKEN: base64(cipher()),
      sops_mac: base64(cipher()),
      sops_version: base64('3.9.0'),
      plain: base64('plain'),
    },
  });
  expect(maskEncrypted(secret)).toEqual(
    object('Secret', {
      data: { 'config.json': base64('**SOPS**'), TOKEN: base64('**SOPS**'), plain: base64('plain') },
    }),
  );
});

test('what is not encrypted stays the same object', () => {
  const plain = object('ConfigMap', { data: { a: 'ENC', b: '1' }, list: [1, [2]], sops: { other: 1 } });
  expect(maskEncrypted(plain)).toBe(plain);
  expect(isEncrypted(plain)).toBe(false);
  expect(isEncrypted(object('ConfigMap', { data: { a: cipher() } }))).toBe(true);
});

test('the texts that decryption brings to light are found beside their ciphertext, and no others', () => {
  const locked = object('Config', {
    spec: { list: ['plain', cipher()], count: cipher('int'), name: 'n' },
    sops,
  });
  const open = object('Config', { spec: { list: ['plain', 'hidden'], count: 4711, name: 'n' } });
  expect(encryptedTexts([locked], [open])).toEqual(['hidden', '4711']);
});
