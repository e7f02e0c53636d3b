import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { packFleet } from '../../lib/fleet/pack-fleet.ts';
import { BUNDLED, type Bundle, bundleFunctions } from './bundle.ts';
import { osls } from './osls.ts';
import {
  type ClusterSettings,
  type CoreSettings,
  checkSecrets,
  clusterSettings,
  coreSettings,
  type FleetDocument,
  fleetOfWebhook,
} from './settings.ts';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** Where `serverless.yml` looks for everything that is built for AWS, beside itself. */
export const BUILD = '.build';

/** The fleet file of a function, beside its bundle. */
export const PACKAGED_FLEET = 'fleet.json';

/** What osls reads, which is copied to where is packaged. */
const TEMPLATES = ['serverless.yml', 'infra/aws', 'infra/cluster'];

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
 * Bundles the functions and packages the stacks of a fleet file, without credentials or network. osls reads from beside the `serverless.yml`
 * and writes there, so each packaging has copies of its own: several at once do not see each other.
 * @param path of the fleet file
 * @param directory an empty one; what is packaged stays there, and is deployed from there
 * @param progress called with each step, in words
 * @throws FleetError; Error naming what cannot be deployed as it is
 */
export async function packageStacks(
  path: string,
  directory: string,
  progress: (step: string) => void,
): Promise<Packaged> {
  const text = await readFile(path, 'utf8');
  const fleet = loadFleet(text, { path });
  const document = parse(text) as FleetDocument;
  checkSecrets(fleet);
  const settings = coreSettings(fleet);
  const ofClusters = fleet.clusters.map(({ name }): [string, ClusterSettings] => [
    name,
    clusterSettings(fleet, name, document),
  ]);
  for (const each of TEMPLATES)
    await cp(join(ROOT, each), join(directory, each), { recursive: true, filter: isTemplate });
  const functions = join(directory, BUILD, 'functions');
  progress('bundling functions');
  const bundles = await bundleFunctions(ROOT, functions);
  for (const name of BUNDLED) {
    const part = name === 'webhook' ? fleetOfWebhook(document) : document;
    await writeFile(join(functions, name, PACKAGED_FLEET), packFleet(stringify(part)));
  }
  progress('packaging the core stack');
  const core = await packageCore(directory, settings);
  const clusters: Stack[] = [];
  for (const [name, each] of ofClusters) {
    progress(`packaging the stack of ${name}`);
    clusters.push(await packageCluster(directory, name, each));
  }
  return { fleet, bundles, core, clusters };
}

/** Folders, and what osls reads of them. */
function isTemplate(path: string): boolean {
  return !/\.[^/.]+$/.test(path) || path.endsWith('.yml');
}

async function packageCore(directory: string, settings: CoreSettings): Promise<Stack> {
  await writeFile(join(directory, BUILD, 'stack.json'), JSON.stringify(settings));
  return packageStack({
    name: 'core',
    directory,
    env: {},
    packaged: join(directory, BUILD, 'packages/core'),
  });
}

async function packageCluster(directory: string, name: string, settings: ClusterSettings): Promise<Stack> {
  await writeFile(join(directory, BUILD, `cluster-${name}.json`), JSON.stringify(settings));
  return packageStack({
    name,
    directory: join(directory, 'infra/cluster'),
    env: { SLIPWAY_NAME: settings.name, SLIPWAY_CLUSTER: name },
    packaged: join(directory, BUILD, 'packages', `cluster-${name}`),
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
