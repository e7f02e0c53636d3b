import { expect, test } from 'vitest';
import { RefusedPaths } from '../../../lib/receive/refused-paths.ts';

function setUp(size?: number) {
  const clock = { now: 1_000 };
  const options = size === undefined ? {} : { size };
  return { clock, refused: new RefusedPaths<string>({ now: () => clock.now, ...options }) };
}

test('what was found at a refused path is known until its time is over, counted from when it was read', () => {
  const { clock, refused } = setUp();
  expect(refused.recall('/hook/a')).toBeUndefined();
  refused.remember('/hook/a', [], 1_000);
  refused.remember('/hook/b', ['receiver'], 500);
  expect([refused.recall('/hook/a'), refused.recall('/hook/b')]).toEqual([[], ['receiver']]);
  clock.now = 10_500;
  expect([refused.recall('/hook/a'), refused.recall('/hook/b')]).toEqual([[], undefined]);
  clock.now = 11_000;
  expect(refused.recall('/hook/a')).toBeUndefined();
});

test('a flood of guesses takes no more memory than it may, and the paths that were called last stay', () => {
  const { clock, refused } = setUp(1_000);
  for (let count = 0; count < 100_000; count += 1) refused.remember(`/hook/${count}`, [], clock.now);
  expect(refused.paths).toBe(1_000);
  expect(refused.recall('/hook/99999')).toEqual([]);
  expect(refused.recall('/hook/0')).toBeUndefined();
});

test('many Receivers at one path count as many, and more than there is room for are not kept', () => {
  const { clock, refused } = setUp(1_000);
  for (let count = 0; count < 10; count += 1)
    refused.remember(`/hook/${count}`, Array.from({ length: 199 }, String), clock.now);
  expect(refused.paths).toBe(5);
  refused.remember('/hook/large', Array.from({ length: 1_000 }, String), clock.now);
  expect(refused.recall('/hook/large')).toBeUndefined();
});
