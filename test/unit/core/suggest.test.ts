import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { suggest } from '../../../lib/core/suggest.ts';

describe('suggest', () => {
  test.each([
    ['prun', 'prune'],
    ['intreval', 'interval'],
    ['serviceAcountName', 'serviceAccountName'],
    ['TimeOut', 'timeout'],
    ['waits', 'wait'],
    ['account', 'serviceAccountName'],
  ])('for %s is %s', (word, expected) => {
    expect(suggest(word, ['interval', 'prune', 'timeout', 'wait', 'serviceAccountName'])).toBe(expected);
  });

  test.each(['x', 'replicas', '', 'in'])('is nothing for %j, which is like none', (word) => {
    expect(suggest(word, ['interval', 'prune', 'timeout', 'wait'])).toBeUndefined();
  });

  test('finds any word with one letter changed', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,20}$/), fc.nat(), (word, at) => {
        const index = at % word.length;
        const typo = `${word.slice(0, index)}9${word.slice(index + 1)}`;
        expect(suggest(typo, ['0000000000000000000000000', word])).toBe(word);
      }),
    );
  });

  test('is one of the candidates or nothing', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, candidates) => {
        const found = suggest(word, candidates);
        expect(found === undefined || candidates.includes(found)).toBe(true);
      }),
    );
  });
});
