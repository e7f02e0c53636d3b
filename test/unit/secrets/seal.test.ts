import { expect, test } from 'vitest';
import { createSeal, SealError } from '../../../lib/secrets/seal.ts';

const KEY = 'k'.repeat(32);

test('what is sealed opens in its place, with the same key alone', async () => {
  const seal = await createSeal(KEY);
  const sealed = await seal.seal('töken', 'prod/apps/hub');
  expect(await seal.open(sealed, 'prod/apps/hub')).toBe('töken');
  expect(await (await createSeal(KEY)).open(sealed, 'prod/apps/hub')).toBe('töken');
  await expect(seal.open(sealed, 'prod/apps/other')).rejects.toThrow(SealError);
  await expect((await createSeal('o'.repeat(32))).open(sealed, 'prod/apps/hub')).rejects.toThrow(
    /another key/,
  );
});

test('what is sealed shows nothing, and never looks the same twice', async () => {
  const seal = await createSeal(KEY);
  const [first, second] = [await seal.seal('token', 'x'), await seal.seal('token', 'x')];
  expect(first).not.toBe(second);
  expect(first).not.toContain('token');
  expect(first).not.toContain(Buffer.from('token').toString('base64'));
});

test('any change of what is sealed is noticed', async () => {
  const seal = await createSeal(KEY);
  const parts = (await seal.seal('token', 'x')).split('.');
  for (const [index, part] of parts.entries()) {
    const other = part.startsWith('A') ? `B${part.slice(1)}` : `A${part.slice(1)}`;
    await expect(seal.open(parts.with(index, other).join('.'), 'x')).rejects.toThrow(SealError);
    await expect(seal.open(parts.with(index, '').join('.'), 'x')).rejects.toThrow(SealError);
  }
  for (const text of ['', 'v1', 'v1...', '!.!.!.!'])
    await expect(seal.open(text, 'x')).rejects.toThrow(SealError);
});

test('a key that could be guessed is refused', async () => {
  await expect(createSeal('short')).rejects.toThrow(/at least 32 characters/);
});
