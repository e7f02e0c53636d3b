import { describe, expect, test } from 'vitest';
import { type LoadSize, tellStory } from '../../load/story.ts';

const SIZE: LoadSize = {
  ...{ pushes: 2_000, repositories: 20, objects: 10, pushesPerSecond: 7 },
  ...{ dropped: 0.05, duplicated: 0.1 },
};

describe('the story of a load', () => {
  const { teams, pushes } = tellStory(SIZE, 1);

  test('follows from its seed', () => {
    const told = (seed: number) => tellStory({ ...SIZE, pushes: 50 }, seed);
    expect(told(1)).toEqual(told(1));
    expect(told(2)).not.toEqual(told(1));
  });

  test('brings the commits of each repository one by one, and to all of them', () => {
    expect(pushes).toHaveLength(2_000);
    for (const team of teams) {
      const own = pushes.filter((push) => push.team === team);
      expect(own.map(({ commit }) => commit)).toEqual(own.map((_, index) => index + 1));
      expect(team.commits).toHaveLength(own.length + 1);
      expect(own.map(({ at }) => at)).toEqual(own.map(({ at }) => at).toSorted((a, b) => a - b));
    }
  });

  test('changes something with each commit, and ends with all objects there', () => {
    for (const { commits } of teams) {
      for (const [number, contents] of commits.entries()) {
        expect([...contents.values()]).toContain(number);
        expect(contents.size).toBeGreaterThanOrEqual(SIZE.objects - 1);
      }
      expect(commits.at(-1)?.size).toBe(SIZE.objects);
      expect(commits.some(({ size }) => size < SIZE.objects)).toBe(true);
    }
  });

  test('drops a twentieth of the deliveries, and makes a tenth twice, in an order of their own', () => {
    const dropped = pushes.filter(({ deliveries }) => deliveries.length === 0).length;
    const twice = pushes.filter(({ deliveries }) => deliveries.length === 2).length;
    expect(dropped).toBeGreaterThan(70);
    expect(dropped).toBeLessThan(130);
    expect(twice).toBeGreaterThan(150);
    expect(twice).toBeLessThan(250);
    const first = pushes
      .filter(({ team }) => team === teams[0])
      .flatMap(({ deliveries }) => deliveries[0] ?? []);
    expect(first).not.toEqual(first.toSorted((a, b) => a - b));
    for (const { at, deliveries } of pushes) expect(Math.min(at, ...deliveries)).toBe(at);
  });
});
