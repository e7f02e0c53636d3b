import { randomInt } from 'node:crypto';
import process from 'node:process';
import { refuse, scriptOptions } from '../../infra/script-options.ts';
import type { Installation } from './installation.ts';
import { playLoad } from './play-load.ts';
import { printReport } from './report.ts';
import type { LoadSize } from './story.ts';
import type { StrikeOptions } from './strikes.ts';

const HELP = `npm run load [-- options]

Pushes to many repositories while the workers that deploy them are killed and frozen, and checks what came of it: every object at its last
commit, right commit statuses, no dead letter, no effect of a worker that had lost its lease. Real parts, on this machine alone.

  --backend <name>  sqlite, aws or both; default: both, one after the other
  --scale <part>    smaller loads, such as 0.05 for a twentieth; default: 1, which is 2,000 pushes over 200 objects
  --seed <number>   decides commits, deliveries and who is struck when; default: another one each time
  --keep            leave the logs of the workers where they are
  --help            this text
`;

const { values } = scriptOptions('load', HELP, {
  options: {
    backend: { type: 'string', default: 'both' },
    scale: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** The whole of it: 2,000 pushes over 200 objects. */
const WHOLE: LoadSize = {
  ...{ pushes: 2_000, repositories: 20, objects: 10, pushesPerSecond: 7 },
  ...{ dropped: 0.05, duplicated: 0.1 },
};

/** By backend: one process alone is frozen seldom, since nothing goes on meanwhile. */
const STRIKES: Record<Installation['backend'], StrikeOptions> = {
  sqlite: { everyMs: 8_000, pauses: 0.06, inWrite: 0.5 },
  aws: { everyMs: 5_000, pauses: 0.4, inWrite: 0.5 },
};

const SETTLE_MS = 15 * 60_000;

const scale = Number(values.scale);
const seed = Number(values.seed);
const say = (text: string) => process.stderr.write(`${text}\n`);
const backends = (['sqlite', 'aws'] as const).filter(
  (name) => values.backend === 'both' || values.backend === name,
);
if (backends.length === 0)
  refuse('load', `--backend is ${JSON.stringify(values.backend)}; it must be sqlite, aws or both`);
if (!(scale > 0)) refuse('load', `--scale is ${JSON.stringify(values.scale)}; it must be a number above 0`);
if (!Number.isSafeInteger(seed))
  refuse('load', `--seed is ${JSON.stringify(values.seed)}; it must be a whole number`);

for (const backend of backends) {
  const report = await playLoad({
    ...{ backend, seed, say, keep: values.keep, settleMs: SETTLE_MS },
    size: {
      ...WHOLE,
      pushes: Math.max(20, Math.round(WHOLE.pushes * scale)),
      repositories: Math.max(2, Math.round(WHOLE.repositories * scale)),
    },
    strikes: STRIKES[backend],
  });
  printReport(report);
  if (report.problems.length > 0) process.exitCode = 1;
}
// The servers that stand in for AWS keep the process alive.
process.exit();
