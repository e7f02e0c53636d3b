import { existsSync } from 'node:fs';
import process from 'node:process';
import { enginePath } from '../infra/engine/location.ts';
import { run } from '../lib/exec.ts';
import type { Engine } from '../lib/render/engine.ts';
import { createEngine } from '../lib/render/engine.ts';
import type { LocalRepository } from '../lib/source/local-tree.ts';
import { openLocalRepository, readCommit, readWorkingTree } from '../lib/source/local-tree.ts';
import type { TreeFile } from '../lib/tar.ts';
import type { OpenFleet } from './open-fleet.ts';
import { openFleet } from './open-fleet.ts';

/** A repository on this machine, the fleet file if there is one, and the engine. */
export interface LocalCheckout {
  repository: LocalRepository;
  files: TreeFile[];
  /** The commit that was read; undefined: the files on disk. */
  commit?: string;
  fleet?: OpenFleet;
  engine: Engine;
}

/** Which checkout a command works with. */
export interface CheckoutOptions {
  /** Its root; undefined: the repository around the current directory. */
  path?: string | undefined;
  commit?: string | undefined;
  /** The fleet file. */
  config: string;
  /** Whether the fleet file was asked for by name, so that it must exist. */
  configGiven: boolean;
}

const LIMITS = { maxFiles: 100_000, maxBytes: 1024 ** 3 };

/** Reads a checkout, does the work and ends the engine. */
export async function withCheckout<T>(
  options: CheckoutOptions,
  work: (checkout: LocalCheckout) => Promise<T>,
): Promise<T> {
  if (!existsSync(enginePath())) throw new Error('the engine is not built; run: npm run build:engine');
  const fleet =
    options.configGiven || existsSync(options.config) ? await openFleet(options.config) : undefined;
  const repository = await openLocalRepository(run, options.path, process.cwd());
  const limits = fleet
    ? { maxFiles: fleet.fleet.limits.artifactFiles, maxBytes: fleet.fleet.limits.artifactSize }
    : LIMITS;
  const read =
    options.commit === undefined
      ? { files: await readWorkingTree(run, repository, limits) }
      : await readCommit(run, repository, options.commit, limits);
  const timeoutMs = fleet?.fleet.limits.renderTimeout ?? 120_000;
  const engine = createEngine({ path: enginePath(), timeoutMs });
  try {
    return await work({ repository, ...read, ...(fleet ? { fleet } : {}), engine });
  } finally {
    await engine.close();
  }
}
