#!/usr/bin/env node
// Starts the command under the project's own Node, since the machine's may be too old to run TypeScript as it is.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const own = join(root, 'node_modules', 'node', 'bin', 'node');
const node = Number(process.versions.node.split('.')[0]) >= 24 || !existsSync(own) ? process.execPath : own;
// A small young generation, collected by one thread: memory is worth more to a service than the last bit of speed, and threads that help
// each other with little work take their time from the API server or the engine beside them.
const flags = ['--max-semi-space-size=8', '--single-threaded-gc'];
const { status, signal } = spawnSync(
  node,
  [...flags, join(root, 'functions', 'cli.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exitCode = status ?? (signal ? 1 : 0);
