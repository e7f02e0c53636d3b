import { defineConfig } from 'vitest/config';

/** Suites that start servers get their own, longer limits; unit tests must stay quick. */
const projects = [
  { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 },
  { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'features', include: ['test/features/**/*.test.ts'], testTimeout: 120_000 },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000 },
];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: projects.map((project) => ({
      extends: true,
      test: { ...project, hookTimeout: 300_000 },
    })),
  },
});
