import { join } from 'node:path';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { cacheDirectory } from './infra/testservers/location.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * Starts real servers when a test asks for them; see test/support/cluster.ts. A process plays many files: to load Slipway anew for each takes more
 * of a processor than most of them do themselves. What a file leaves behind is taken away, or makes it fail.
 */
const servers = {
  globalSetup: ['test/support/shared-servers.ts'],
  setupFiles: ['test/support/nothing-left.ts'],
  isolate: false,
};

/** Test files whose Slipway is the one of test/support/slipway.ts, which runs in either shape. */
const onAws = [
  'test/e2e/{merge-to-deploy,doubtful-renders,image-to-deploy}.test.ts',
  'test/features/{deletion,depends-on,health-checks,pipeline-changes,receiver,tenancy}.test.ts',
];

/** Those of them that take minutes over AWS's queues, for `SLIPWAY_AWS_TESTS=all`. */
const slowOnAws = ['test/e2e/{secrets,tenancy}.test.ts', 'test/features/pipeline-writers.test.ts'];
const awsTests = process.env.SLIPWAY_AWS_TESTS === 'all' ? [...onAws, ...slowOnAws] : onAws;

/** Suites that start servers get their own, longer limits; unit tests must stay quick. */
const projects = [
  // They start nothing and leave nothing behind, so that one process can play many files: to start one for each would take twice the time.
  { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000, isolate: false },
  // Modelled parts and virtual time, nothing else: however long it takes, it goes the same way.
  { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 1_200_000 },
  { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000, ...servers },
  { name: 'features', include: ['test/features/**/*.test.ts'], testTimeout: 120_000, ...servers },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000, ...servers },
  // The same promises once more, kept by the functions of AWS over SQS, DynamoDB and S3.
  // Each file has the servers that stand in for AWS to itself.
  {
    name: 'aws',
    include: awsTests,
    testTimeout: 300_000,
    env: { SLIPWAY_BACKEND: 'aws' },
    ...servers,
    isolate: true,
  },
];

// Tests run in several processes, and so does every command line in one: none compiles what another has compiled.
process.env.NODE_COMPILE_CACHE ??= join(cacheDirectory(process.env), 'compiled');

export default defineConfig({
  test: {
    pool: 'forks',
    // Node runs TypeScript by itself, as it does for users; Vite would transform it once more. Modules cannot be mocked this way, and are not.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // More than a small machine has cores: most of a test's time is waiting.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: projects.map((project) => ({
      extends: true,
      test: { ...project, hookTimeout: 300_000 },
    })),
  },
});
