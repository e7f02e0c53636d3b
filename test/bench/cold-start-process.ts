import { spawnSync } from 'node:child_process';
import process from 'node:process';

// Starts a program afresh with each of the events and prints how long each took, in ms. It is small itself: to start a process means to
// copy what its parent maps, which takes the bench tens of ms.
const { program, events, directory, env } = JSON.parse(process.argv[2] ?? '') as {
  program: string;
  events: readonly string[];
  directory: string;
  env: Record<string, string>;
};
const starts = events.map((event) => {
  const began = performance.now();
  const { stdout, stderr } = spawnSync(process.execPath, [program, event], { cwd: directory, env });
  const ms = performance.now() - began;
  const [status = 0, cpuMs = 0] = JSON.parse(stdout.toString() || '[]') as number[];
  if (status !== 202) throw new Error(`the webhook was answered with ${status}: ${stderr}`);
  return { ms, cpuMs };
});
process.stdout.write(JSON.stringify(starts));
