import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PLANTED, tempting } from './planted-faults.ts';
import { play, REPLAY } from './play.ts';
import { prepare, simulate } from './simulate.ts';
import { type Story, story } from './story.ts';
import { TOLD } from './told-stories.ts';
import type { World } from './world.ts';

/** A planted fault must be found within as many. */
const BUDGET = 10_000;

let world: World;
beforeAll(async () => {
  world = await prepare();
});

/** Stories, made as they are needed. */
function* stories(seed: number): Generator<Story> {
  for (let first = 0; first < BUDGET; first += 100)
    yield* fc.sample(story, { numRuns: 100, seed: seed + first });
}

describe.runIf(REPLAY !== undefined)('one interleaving', () => {
  it('is played again', () => play(world, JSON.parse(REPLAY ?? '') as Story));
});

describe.skipIf(REPLAY !== undefined)('the pipeline', () => {
  for (const [name, told] of Object.entries(TOLD))
    it(`keeps its promises where one was broken once: ${name}`, () => play(world, told));

  it('goes the same way twice when it is played again', async () => {
    for (const told of fc.sample(story, { numRuns: 5, seed: 1 })) {
      const [first, second] = [
        await simulate(world, told, { traced: true }),
        await simulate(world, told, { traced: true }),
      ];
      expect(second.trace).toEqual(first.trace);
    }
  });
});

describe.skipIf(REPLAY !== undefined)('a planted fault is found', () => {
  for (const [name, mistake] of Object.entries(PLANTED)) {
    it(name, async ({ annotate }) => {
      let runs = 0;
      for (const told of stories(7)) {
        runs += 1;
        const tempted = tempting(mistake, told);
        const { violations } = await simulate(world, tempted, { plant: mistake.plant });
        if (violations.length === 0) continue;
        await play(world, tempted);
        await annotate(`found in interleaving ${runs}: ${violations[0]}`);
        return;
      }
      expect.unreachable(`${name} was not found in ${runs} interleavings`);
    });
  }
});
