import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeSegment, parsePointer, valueAt, withValueAt } from '../../../lib/apply/pointer.ts';

test('a pointer names members with slashes and tildes', () => {
  expect(parsePointer('/metadata/annotations/example.com~1a~0b')).toEqual([
    'metadata',
    'annotations',
    'example.com/a~b',
  ]);
});

test.each(['', 'spec', 'spec.replicas', '/a~2b', '/a~'])('"%s" is not a pointer to a member', (text) => {
  expect(parsePointer(text)).toBeUndefined();
});

test('every path survives being written and parsed', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (path) => {
      expect(parsePointer(path.map((segment) => `/${escapeSegment(segment)}`).join(''))).toEqual(path);
    }),
  );
});

test('values are replaced and removed in a copy', () => {
  const object = { spec: { list: [{ a: 1 }, { a: 2 }], other: true } };
  const before = structuredClone(object);
  expect(valueAt(withValueAt(object, ['spec', 'list', '1', 'a'], 9), ['spec', 'list', '1', 'a'])).toBe(9);
  expect(withValueAt(object, ['spec', 'list', '0'], undefined)).toEqual({
    spec: { list: [{ a: 2 }], other: true },
  });
  expect(withValueAt(object, ['spec', 'other'], undefined)).toEqual({ spec: { list: [{ a: 1 }, { a: 2 }] } });
  expect(object).toEqual(before);
});

test('paths that lead nowhere change nothing', () => {
  const object = { spec: { list: [1] } };
  for (const path of [
    ['none', 'a'],
    ['spec', 'list', '5'],
    ['spec', 'list', '-'],
    ['spec', 'list', '0', 'a'],
  ]) {
    expect(withValueAt(object, path, undefined)).toEqual(object);
    expect(valueAt(object, path)).toBeUndefined();
  }
});

test('members of prototypes are not found', () => {
  expect(valueAt({}, ['constructor', 'name'])).toBeUndefined();
  expect(valueAt({}, ['__proto__'])).toBeUndefined();
});
