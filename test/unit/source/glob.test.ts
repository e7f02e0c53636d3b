import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob } from '../../../lib/source/glob.ts';

/** By trying everything. */
function naive(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] === '*') {
    return Array.from({ length: name.length + 1 }, (_, at) => at).some((at) =>
      naive(pattern.slice(1), name.slice(at)),
    );
  }
  if (name === '') return false;
  return (pattern[0] === '?' || pattern[0] === name[0]) && naive(pattern.slice(1), name.slice(1));
}

test('stars and question marks match as trying everything does', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (glob, text) => {
      expect(compileGlob(glob)?.(text)).toBe(naive(glob, text));
    }),
  );
});

test.each([
  ['[a-c]', ['a', 'c'], ['d', '-']],
  ['[^a-c]', ['d'], ['a']],
  ['[a\\-c]', ['a', '-', 'c'], ['b']],
  ['[\\]]', [']'], ['a']],
  ['\\*', ['*'], ['a']],
  ['[!a]', ['!', 'a'], ['b']],
  ['é?', ['éü', 'é😀'], ['é']],
])('%s', (pattern, matching, others) => {
  const matches = compileGlob(pattern);
  expect([matching.map((name) => matches?.(name)), others.map((name) => matches?.(name))]).toEqual([
    matching.map(() => true),
    others.map(() => false),
  ]);
});

test.each(['[', '[a', '[a-', '[]a]', '[a-]', '[-a]', '\\', 'a\\', '[^]'])('%j is malformed', (pattern) => {
  expect(compileGlob(pattern)).toBeUndefined();
});
