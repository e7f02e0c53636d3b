import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../lib/receive/json.ts';
import { PayloadError } from '../../../lib/receive/payload-error.ts';

describe('parseJson', () => {
  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20, noUnicodeString: false }), (text) => {
        const value: unknown = JSON.parse(text);
        if (text.includes('__proto__') || !JSON.stringify(value).isWellFormed()) return;
        const canonical = JSON.stringify(value);
        expect(parseJson(canonical)).toEqual(value);
        expect(parseJson(JSON.stringify(value, undefined, 2))).toEqual(value);
      }),
    );
  });

  it('throws PayloadErrors alone', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]{}",:\\u0d8\s]{0,40}$/)), (text) => {
        try {
          parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError);
        }
      }),
    );
  });

  it.each([
    ['a key twice, spelled differently', '{"a":1,"\\u0061":2}'],
    ['a key twice deep inside', '[{"x":{"k":1,"b":[],"k":2}}]'],
    ['__proto__', '{"x":{"__proto__":1}}'],
    ['a lone surrogate in a value', '["\\udc00"]'],
    ['a lone surrogate in a key', '{"\\ud800":1}'],
    ['too many levels', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
    ['a second value', '{} {}'],
    ['a comment', '{/* */}'],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(() => parseJson(text)).toThrow(PayloadError);
  });

  it.each([
    ['the same key in different objects', '[{"a":1},{"a":2},{"b":{"a":1},"a":2}]'],
    ['a value equal to a key', '{"a":"b","b":"a"}'],
    ['quotes and braces within text', '{"a":"}{\\"][,:","b":"\\\\"}'],
    ['a pair of surrogates', '["\\ud83d\\ude00"]'],
    ['a hundred levels', `${'['.repeat(100)}${']'.repeat(100)}`],
  ])('reads %s', (_name, text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});
