import process from 'node:process';
import { measureRound } from './first-apply.ts';
import { setStage } from './stage.ts';

// A round of the first apply on a stage of its own, in a process of its own: neither finds anything of the one before.

const { apps, concurrency } = JSON.parse(process.argv[2] ?? '{}');
const stage = await setStage();
try {
  process.stdout.write(JSON.stringify(await measureRound(stage, apps, concurrency)));
} finally {
  await stage.stop();
}
