import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../lib/core/digest.ts';
import { parseObjects } from '../../../lib/render/parse-objects.ts';

const parse = (text: string) => parseObjects(Buffer.from(text));

describe('objects of the engine', () => {
  test.each([
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551615',
    '123456789012345678901234567890',
  ])('keep all digits of %s', (digits) => {
    const text = `[{"spec":{"n":${digits}}}]`;
    expect(JSON.stringify(parse(text))).toBe(text);
    expect(canonicalJson(parse(text))).toBe(text);
  });

  test('have plain numbers where a number is exact, and texts of digits as texts', () => {
    const text = '[{"a":9007199254740991,"b":1.5,"c":"12345678901234567890","d":0.12345678901234568}]';
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('are what JSON.parse gives for everything else', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (value) => {
        expect(JSON.stringify(parse(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
  });
});
