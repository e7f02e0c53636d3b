import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, digestOf, sameJson, sha256 } from '../../../lib/core/digest.ts';

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

const json = fc.jsonValue({ maxDepth: 4 });

describe('canonical JSON', () => {
  test('says the same as the value, and does not depend on the order of keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(digestOf(reversed(value))).toBe(sha256(text));
        expect(sameJson(value, reversed(value))).toBe(true);
      }),
    );
  });

  test.each([
    ['members that are undefined are left out', { b: undefined, a: [undefined] }, '{"a":[null]}'],
    ['a time writes itself', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [
      'a key may have any name',
      JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}'),
      '{"__proto__":{"a":2,"z":1},"b":1}',
    ],
    [
      'integers beyond 2^53 stand as they are written',
      { n: (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('9007199254740993') },
      '{"n":9007199254740993}',
    ],
  ])('%s', (_what, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});

test('the digest of text is that of its bytes', () => {
  const digest = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect([sha256('abc'), sha256(Buffer.from('abc'))]).toEqual([digest, digest]);
});
