import process from 'node:process';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PLANTED, tempting } from './planted-faults.ts';
import { prepare, simulate } from './simulate.ts';
import { type Story, story } from './story.ts';
import { TOLD } from './told-stories.ts';
import type { World } from './world.ts';

/** How many interleavings are played. */
const RUNS = Number(process.env.SLIPWAY_SIMULATION_RUNS ?? 2_200);

/** Which of all interleavings: the same ones each time, unless others are asked for. */
const SEED = Number(process.env.SLIPWAY_SIMULATION_SEED ?? 21);

/** A planted fault must be found within as many. */
const BUDGET = 10_000;

/** A story as a failure prints it, to be played again. */
const REPLAY = process.env.SLIPWAY_SIMULATION;

let world: World;
beforeAll(async () => {
  world = await prepare();
});

/** Plays a story, and says what went wrong with all that led to it. */
async function play(told: Story): Promise<void> {
  const { violations } = await simulate(world, told);
  if (violations.length === 0) return;
  const { trace } = await simulate(world, told, { traced: true });
  const again = `SLIPWAY_SIMULATION='${JSON.stringify(told)}' npx vitest run --project simulation`;
  throw new Error(
    `${violations.join('\n')}\n\n${trace.join('\n')}\n\n${violations.join('\n')}\nplay it again: ${again}`,
  );
}

/** Stories, made as they are needed. */
function* stories(seed: number): Generator<Story> {
  for (let first = 0; first < BUDGET; first += 100)
    yield* fc.sample(story, { numRuns: 100, seed: seed + first });
}

describe.runIf(REPLAY !== undefined)('one interleaving', () => {
  it('is played again', () => play(JSON.parse(REPLAY ?? '') as Story));
});

describe.skipIf(REPLAY !== undefined)('the pipeline', () => {
  it('keeps its promises in every interleaving, whatever dies, freezes, fails or comes twice', async () => {
    await fc.assert(fc.asyncProperty(story, play), { numRuns: RUNS, seed: SEED });
  });

  for (const [name, told] of Object.entries(TOLD))
    it(`keeps its promises where one was broken once: ${name}`, () => play(told));

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
        const { violations } = await simulate(world, tempting(mistake, told), {
          plant: mistake.plant,
        });
        if (violations.length === 0) continue;
        await annotate(`found in interleaving ${runs}: ${violations[0]}`);
        return;
      }
      expect.unreachable(`${name} was not found in ${runs} interleavings`);
    });
  }
});
