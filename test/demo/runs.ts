import type { Stage } from './stage.ts';

/** Tells what `slipway get runs` recorded, newest last. */
export async function tellRuns(stage: Stage): Promise<void> {
  const text = await stage.slipway.command('get', 'runs');
  for (const line of text.trimEnd().split('\n')) stage.story.text(line);
}
