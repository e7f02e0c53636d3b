import { expect, test } from 'vitest';
import { newestInRange, parseRange, parseVersion } from '../../../lib/core/version-range.ts';

/** Which of the versions are in the range. */
function inRange(range: string, versions: readonly string[]): string[] {
  const test = parseRange(range);
  if (!test) throw new Error(`${range} is no range`);
  return versions.filter((version) => {
    const parsed = parseVersion(version);
    return parsed !== undefined && test(parsed);
  });
}

const ALL = [
  '0.0.1',
  '0.1.0',
  '0.1.9',
  '0.2.0',
  '1.0.0-rc.1',
  '1.0.0',
  '1.2.3',
  '1.2.9',
  '1.3.0',
  '2.0.0-beta',
  '2.0.0',
];

// What github.com/Masterminds/semver v3.5.0 answers, the library that Flux uses.
test.each([
  ['*', ['0.0.1', '0.1.0', '0.1.9', '0.2.0', '1.0.0', '1.2.3', '1.2.9', '1.3.0', '2.0.0']],
  ['1.x', ['1.0.0', '1.2.3', '1.2.9', '1.3.0']],
  ['1.2', ['1.2.3', '1.2.9']],
  ['=1.2.3', ['1.2.3']],
  ['v1.2.3', ['1.2.3']],
  ['~1.2.3', ['1.2.3', '1.2.9']],
  ['~1', ['1.0.0', '1.2.3', '1.2.9', '1.3.0']],
  ['^1.2.3', ['1.2.3', '1.2.9', '1.3.0']],
  ['^0.1.0', ['0.1.0', '0.1.9']],
  ['^0.0.1', ['0.0.1']],
  ['>1', ['2.0.0']],
  ['>1.2', ['1.3.0', '2.0.0']],
  ['<=1.2', ['0.0.1', '0.1.0', '0.1.9', '0.2.0', '1.0.0', '1.2.3', '1.2.9']],
  ['<1.2', ['0.0.1', '0.1.0', '0.1.9', '0.2.0', '1.0.0']],
  ['>=1.0.0 <1.3.0', ['1.0.0', '1.2.3', '1.2.9']],
  ['>=1.0.0,<1.3.0', ['1.0.0', '1.2.3', '1.2.9']],
  ['>= 1.0.0, != 1.2.3', ['1.0.0', '1.2.9', '1.3.0', '2.0.0']],
  ['1.x, !=1.2.x', ['1.0.0', '1.3.0']],
  ['1.0 - 1.2', ['1.0.0', '1.2.3', '1.2.9']],
  ['0.1.x || 2', ['0.1.0', '0.1.9', '2.0.0']],
  ['>=1.0.0-0', ['1.0.0-rc.1', '1.0.0', '1.2.3', '1.2.9', '1.3.0', '2.0.0-beta', '2.0.0']],
  ['^1.0.0-0', ['1.0.0-rc.1', '1.0.0', '1.2.3', '1.2.9', '1.3.0']],
  ['~1.0.0-rc', ['1.0.0-rc.1', '1.0.0']],
])('%s takes %j', (range, expected) => {
  expect(inRange(range, ALL)).toEqual(expected);
});

test.each([
  '',
  'latest',
  '1.2.3.4',
  '>',
  '1 ||',
  '1,,2',
  '>=a',
  '1.0.0-01',
  '^^1',
  'x'.repeat(600),
  Array(40).fill('1').join('||'),
])('%j is no range', (text) => {
  expect(parseRange(text)).toBeUndefined();
});

test('hostile ranges are answered at once', () => {
  const started = performance.now();
  for (const part of ['1 ', '1-', '1 - ', '>= ', '1-a.', '1,', '1 , ', `1${' '.repeat(100)}`]) {
    parseRange(`${part.repeat(600).slice(0, 511)}!`);
  }
  expect(performance.now() - started).toBeLessThan(2_000);
});

test.each([
  ['v1.2.3', '1.2.3'],
  ['2025.02.03', '2025.2.3'],
  ['1.2.3-rc.1+build.5', '1.2.3-rc.1'],
  ['1.2', undefined],
  ['v1', undefined],
  ['release-1.2.3', undefined],
  ['1.2.3.4', undefined],
  ['1.2.3-01', undefined],
  ['99999999999999999999.0.0', undefined],
])('the tag %s is the version %s', (tag, version) => {
  expect(parseVersion(tag)?.version).toBe(version);
});

test('the newest tag of a range is found by version, not by name or order', () => {
  const range = parseRange('>=1.0.0') ?? (() => false);
  expect(newestInRange(['1.9.0', 'v1.10.0', '1.2.0', 'nightly', '2.0.0-rc.1'], range)).toBe('v1.10.0');
  expect(newestInRange(['1.0.0+b1', '1.0.0+b2', '1.0.0'], range)).toBe('1.0.0+b2');
  expect(newestInRange(['0.1.0'], range)).toBeUndefined();
});
