import { randomBytes } from 'node:crypto';
import type { Log } from '../lib/log.ts';
import { tick } from '../lib/pipeline/tick.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { type ScheduleHandler, scheduleHandler } from './aws/schedule-event.ts';

/** The tick of the clock: a sweep job for each cluster that is to be looked over, and at first a name for the installation. It holds no credential of a cluster. */
export async function openSweep(
  environment: Environment,
  log?: Log,
): Promise<Opened & { run(): Promise<void> }> {
  const core = await openCore(environment, log);
  // Nobody works for a cluster before its first tick, so that workers find the name there.
  await core.ctx.index.installation(() => randomBytes(8).toString('hex'));
  return { ...core, run: () => tick(core.ctx) };
}

export const handler: ScheduleHandler = scheduleHandler(keepOpen(openSweep));
