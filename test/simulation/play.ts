import process from 'node:process';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { prepare, simulate } from './simulate.ts';
import { type Story, story } from './story.ts';
import type { World } from './world.ts';

/** How many interleavings are played, in all files together. */
const RUNS = Number(process.env.SLIPWAY_SIMULATION_RUNS ?? 2_400);

/** Which of all interleavings: the same ones each time, unless others are asked for. */
const SEED = Number(process.env.SLIPWAY_SIMULATION_SEED ?? 21);

/** A story as a failure prints it, to be played again and alone. */
export const REPLAY = process.env.SLIPWAY_SIMULATION;

/** The files `part-1` to `part-4`: they share the machine. */
const PARTS = 4;

/** Plays a story, and says what went wrong with all that led to it. */
export async function play(world: World, told: Story): Promise<void> {
  const { violations } = await simulate(world, told);
  if (violations.length === 0) return;
  const { trace } = await simulate(world, told, { traced: true });
  const again = `SLIPWAY_SIMULATION='${JSON.stringify(told)}' npx vitest run --project simulation test/simulation/simulation.test.ts`;
  throw new Error(
    `${violations.join('\n')}\n\n${trace.join('\n')}\n\n${violations.join('\n')}\nplay it again: ${again}`,
  );
}

/** Declares the test of one part of all interleavings. @param part 1 to {@link PARTS} */
export function playPart(part: number): void {
  describe.skipIf(REPLAY !== undefined)('the pipeline', () => {
    it('keeps its promises in every interleaving, whatever dies, freezes, fails or comes twice', async () => {
      const world = await prepare();
      const property = fc.asyncProperty(story, (told) => play(world, told));
      await fc.assert(property, { numRuns: Math.ceil(RUNS / PARTS), seed: SEED + part * 1_000 });
    });
  });
}
