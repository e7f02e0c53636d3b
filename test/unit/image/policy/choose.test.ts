import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseTag, type Selection } from '../../../../lib/image/policy/choose.ts';
import { ChoiceError } from '../../../../lib/image/policy/order.ts';
import { PolicyError } from '../../../../lib/image/policy/pattern.ts';

interface Reference {
  policy: 'semver' | 'alphabetical' | 'numerical';
  arg: string;
  pattern?: string;
  extract?: string;
  tags: string[];
  latest?: string;
  error?: 'invalid' | 'none';
}

/** What the Toolkit's own policies choose from random tags. */
const references = readFileSync(new URL('../../../fixtures/image/choices.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Reference);

function selectionOf({ policy, arg, pattern, extract }: Reference): Selection {
  const order = arg === 'desc' ? 'desc' : 'asc';
  return {
    policy: policy === 'semver' ? { semver: { range: arg } } : { [policy]: { order } },
    ...(pattern === undefined
      ? {}
      : { filterTags: { pattern, ...(extract === undefined ? {} : { extract }) } }),
  };
}

function resultOf(selection: Selection, tags: readonly string[]): string {
  try {
    return chooseTag(selection, tags).latest.tag;
  } catch (error) {
    if (error instanceof PolicyError) return 'error: invalid';
    if (error instanceof ChoiceError) return 'error: none';
    throw error;
  }
}

describe('the newest tag', () => {
  test('is the one that the Toolkit chooses, for every policy, pattern and extract', () => {
    expect(references.length).toBeGreaterThan(500);
    const different = references
      .map((reference) => ({ ...reference, ours: resultOf(selectionOf(reference), reference.tags) }))
      .filter(({ latest, error, ours }) => ours !== (error === undefined ? latest : `error: ${error}`));
    expect(different).toEqual([]);
  });

  const tags = fc.uniqueArray(fc.stringMatching(/^[a-z0-9_][a-z0-9._-]{0,12}$/), { maxLength: 30 });
  const selections = fc.constantFrom<Selection>(
    { policy: { semver: { range: '*' } } },
    { policy: { alphabetical: { order: 'asc' } } },
    { policy: { alphabetical: { order: 'desc' } } },
    { policy: { numerical: { order: 'asc' } }, filterTags: { pattern: '([0-9]+)', extract: '$1' } },
    { policy: { numerical: { order: 'desc' } }, filterTags: { pattern: '^[0-9]+$' } },
    {
      policy: { semver: { range: '>=0.0.0-0' } },
      filterTags: { pattern: '(?P<x>[a-z]?)', extract: '1.2.3-$x' },
    },
  );

  test('does not depend on the order in which a registry lists them', () => {
    fc.assert(
      fc.property(selections, tags, fc.infiniteStream(fc.nat()), (selection, list, dice) => {
        const shuffled = list
          .map((tag) => [dice.next().value ?? 0, tag] as const)
          .sort(([a], [b]) => a - b)
          .map(([, tag]) => tag);
        expect(resultOf(selection, shuffled)).toBe(resultOf(selection, list));
      }),
    );
  });

  test('is one of those that there are, and stays it when all others that rank lower go', () => {
    fc.assert(
      fc.property(selections, tags, (selection, list) => {
        const result = resultOf(selection, list);
        if (result.startsWith('error')) return;
        expect(list).toContain(result);
        expect(resultOf(selection, [result])).toBe(result);
      }),
    );
  });

  test('never is an older version than one that was there before', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.')),
          { minLength: 1 },
        ),
        fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.')),
        (list, more) => {
          const selection: Selection = { policy: { semver: { range: '*' } } };
          const before = resultOf(selection, list);
          expect([before, more]).toContain(resultOf(selection, [...list, more]));
        },
      ),
    );
  });

  test('is told apart among time stamps of more digits than a floating-point number has', () => {
    const selection: Selection = { policy: { numerical: { order: 'asc' } } };
    expect(resultOf(selection, ['20261126030405001', '20261126030405003', '20261126030405002'])).toBe(
      '20261126030405003',
    );
  });
});

describe('a policy that cannot be used', () => {
  test.each([
    [{ policy: {} }, /names no policy/],
    [{ policy: { semver: { range: 'x1' } } }, /'x1' is no range of versions/],
    [
      { policy: { semver: { range: '*' } }, filterTags: { pattern: '(' } },
      /pattern of spec\.filterTags '\(' is invalid: missing closing/,
    ],
    [{ policy: { semver: { range: '*' } }, filterTags: { pattern: '(?=x)' } }, /invalid or unsupported/],
    [
      { policy: { semver: { range: '*' } }, filterTags: { pattern: '((((x{30}){30}){30}){30})' } },
      /is invalid/,
    ],
    [{ policy: { semver: { range: '*' } }, filterTags: { pattern: '.{0,1000}'.repeat(99) } }, /too large/],
    [{ policy: { semver: { range: '*' } }, filterTags: { pattern: 'x'.repeat(3_000) } }, /longer than/],
  ])('%j says why', (selection, expected) => {
    expect(() => chooseTag(selection as Selection, ['1.0.0'])).toThrow(PolicyError);
    expect(() => chooseTag(selection as Selection, ['1.0.0'])).toThrow(expected);
  });

  test('is not one whose tags do not fit: that says how many there were', () => {
    const selection: Selection = { policy: { semver: { range: '9.x' } }, filterTags: { pattern: '^v' } };
    expect(() => chooseTag(selection, ['1.0.0', '2.0.0'])).toThrow(
      /none of 2 tags matches spec\.filterTags\.pattern/,
    );
    expect(() => chooseTag(selection, ['v1.0.0'])).toThrow(/none of 1 tags fits spec\.policy/);
    const numbers: Selection = { policy: { numerical: { order: 'asc' } } };
    expect(() => chooseTag(numbers, ['1', 'b'])).toThrow(/invalid numeric value 'b' of tag 'b'/);
  });
});

test('patterns that choke other engines come to an end', () => {
  const long = Array.from({ length: 5_000 }, (_, i) => `${'a'.repeat(120)}${i}`);
  const selection: Selection = {
    policy: { alphabetical: { order: 'asc' } },
    filterTags: { pattern: '^(a+)+$' },
  };
  expect(() => chooseTag(selection, long)).toThrow(ChoiceError);
});
