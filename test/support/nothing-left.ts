/**
 * Vitest's set-up of each file of the suites that start servers. One process plays many files, one after another, since to load Slipway takes
 * longer than most files do; so whatever a file changes or starts ends with it, and a file that leaves a server running fails.
 */
import process from 'node:process';
import { afterAll, vi } from 'vitest';
import { runningServers } from './process.ts';

const environment = { ...process.env };
const before = new Set(runningServers());

// Of hooks after all tests, those that were added first run last.
afterAll(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);

  const left = runningServers().filter((server) => !before.has(server));
  await Promise.all(left.map((server) => server.stop()));
  if (left.length > 0)
    throw new Error(`These servers were left running: ${left.map(({ name }) => name).join(', ')}`);
});
