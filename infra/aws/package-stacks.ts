import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { BUNDLED, type Bundle, bundleFunctions } from './bundle.ts';
import { osls } from './osls.ts';
import {
  type ClusterSettings,
  type CoreSettings,
  clusterSettings,
  coreSettings,
  type FleetDocument,
  fleetOfWebhook,
} from './settings.ts';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** Where everything that is built for AWS is put. */
export const BUILD = join(ROOT, '.build');

/** A stack that can be deployed. */
export interface Stack {
  /** `core`, or the name of a cluster. */
  name: string;
  /** The directory of its `serverless.yml`. */
  directory: string;
  /** What its `serverless.yml` reads from the environment. */
  env: Record<string, string>;
  /** Where its packaged templates are. */
  packaged: string;
}

/** What was packaged. */
export interface Packaged {
  fleet: Fleet;
  bundles: Bundle[];
  core: Stack;
  clusters: Stack[];
}

const TIMEOUT_MS = 300_000;

/** Packaging asks nobody: no credentials are looked for, at no address. */
export const OFFLINE = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/**
 * Bundles the functions and packages the stacks of a fleet file, without credentials or network.
 * @param path of the fleet file
 * @param progress called with each step, in words
 * @throws FleetError; Error naming what cannot be deployed as it is
 */
export async function packageStacks(path: string, progress: (step: string) => void): Promise<Packaged> {
  const text = await readFile(path, 'utf8');
  const fleet = loadFleet(text, { path });
  const document = parse(text) as FleetDocument;
  const settings = coreSettings(fleet);
  const ofClusters = fleet.clusters.map(({ name }): [string, ClusterSettings] => [
    name,
    clusterSettings(fleet, name, document),
  ]);
  await rm(BUILD, { recursive: true, force: true });
  const functions = join(BUILD, 'functions');
  progress('bundling functions');
  const bundles = await bundleFunctions(ROOT, functions);
  for (const name of BUNDLED) {
    const part = name === 'webhook' ? fleetOfWebhook(document) : document;
    await writeFile(join(functions, name, 'slipway.yaml'), stringify(part));
  }
  progress('packaging the core stack');
  const core = await packageCore(settings);
  const clusters: Stack[] = [];
  for (const [name, each] of ofClusters) {
    progress(`packaging the stack of ${name}`);
    clusters.push(await packageCluster(name, each));
  }
  return { fleet, bundles, core, clusters };
}

async function packageCore(settings: CoreSettings): Promise<Stack> {
  await writeFile(join(BUILD, 'stack.json'), JSON.stringify(settings));
  return packageStack({ name: 'core', directory: ROOT, env: {}, packaged: join(BUILD, 'packages/core') });
}

async function packageCluster(name: string, settings: ClusterSettings): Promise<Stack> {
  await writeFile(join(BUILD, `cluster-${name}.json`), JSON.stringify(settings));
  return packageStack({
    name,
    directory: join(ROOT, 'infra/cluster'),
    env: { SLIPWAY_NAME: settings.name, SLIPWAY_CLUSTER: name },
    packaged: join(BUILD, 'packages', `cluster-${name}`),
  });
}

async function packageStack(stack: Stack): Promise<Stack> {
  await mkdir(stack.packaged, { recursive: true });
  await osls({
    directory: stack.directory,
    args: ['package', '--package', stack.packaged],
    env: { ...OFFLINE, ...stack.env },
    timeoutMs: TIMEOUT_MS,
  });
  return stack;
}
