import { isIP } from 'node:net';
import * as z from 'zod';
import { SecretReference } from '../secrets/reference.ts';
import { FleetAws } from './aws.ts';
import { FleetCluster } from './cluster.ts';
import { FleetRegistry } from './container-registry.ts';
import { Bytes, milliseconds } from './fields.ts';
import { FleetProvider } from './provider.ts';
import { isOwned } from './speaks-of.ts';

const Network = z.strictObject({
  allow: z
    .array(
      z.string().refine(isHostOrRange, { error: 'must be a host, *.domain, an address or a CIDR range' }),
    )
    .default([])
    .describe('Private hosts and address ranges that may be reached; all others are refused.'),
});

const Limits = z.strictObject({
  concurrency: z.int().min(1).max(1000).default(24).describe('Objects reconciled at the same time.'),
  requestTimeout: milliseconds(1_000)
    .prefault('30s')
    .describe('Limit of time for one request to a cluster or provider.'),
  renderTimeout: milliseconds(1_000).prefault('2m').describe('Limit of time for one build.'),
  artifactSize: Bytes.prefault('256Mi').describe('Largest tree that is fetched, unpacked.'),
  artifactFiles: z.int().min(1).default(100_000).describe('Most files in a tree that is fetched.'),
  renderSize: Bytes.prefault('64Mi').describe('Largest output of one build.'),
});

const Server = z.strictObject({
  listen: z
    .string()
    .regex(/^([^\s:]*|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$/, { error: 'must be HOST:PORT or :PORT', abort: true })
    .prefault(':8080')
    .transform(splitListen)
    .refine(({ port }) => port <= 65_535, { error: 'must have a port below 65536' })
    .describe('Address and port to listen on.'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be a URL with https or http' })
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('Public address of this server; statuses link to it.')
    .exactOptional(),
});

const Storage = z.strictObject({
  directory: z.string().min(1).default('./.slipway').describe('Directory of the database and the artifacts.'),
  key: SecretReference.describe(
    'Key that tokens of Receivers are encrypted with in the database, of at least 32 characters; by default one is made beside it.',
  ).exactOptional(),
});

const Statuses = z.strictObject({
  objects: z
    .enum(['failing', 'all'])
    .default('failing')
    .describe('Which objects get a status of their own, beside the one of their cluster.'),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
      error: 'must consist of letters, digits, dots, dashes and underscores',
    })
    .max(40)
    .default('slipway')
    .describe('First word of the name of every status.'),
});

const Sweep = z.strictObject({
  interval: milliseconds(5_000).prefault('1m').describe('How often each cluster is looked over.'),
});

/** The fleet file, `slipway.yaml`: what the operator decides. `loadFleet` also checks its names against each other. */
export const FleetFile = z.strictObject({
  clusters: z.array(FleetCluster).default([]).describe('The clusters to deploy to.'),
  providers: z.array(FleetProvider).default([]).describe('The Git providers.'),
  registries: z.array(FleetRegistry).default([]).describe('The container registries that send webhooks.'),
  network: Network.prefault({}).describe('What may be reached.'),
  limits: Limits.prefault({}).describe('Bounds that keep one tenant from starving the others.'),
  server: Server.prefault({}).describe('The web server.'),
  storage: Storage.prefault({}).describe('Where state is kept on this machine.'),
  statuses: Statuses.prefault({}).describe('Commit statuses.'),
  sweep: Sweep.prefault({}).describe('The look for what webhooks missed.'),
  aws: FleetAws.exactOptional(),
});

/** A loaded fleet file. Durations are in ms, sizes in bytes, paths absolute; secrets are still references. */
export type Fleet = z.output<typeof FleetFile> & {
  /** Absolute path of the file. */
  path: string;
  /** Its directory, where relative paths of secrets start. */
  baseDirectory: string;
};

/** The cluster of a name, or undefined. */
export function clusterOf(fleet: Fleet, name: string): FleetCluster | undefined {
  return fleet.clusters.find((cluster) => cluster.name === name);
}

/**
 * The provider whose credential fetches from a URL: the one whose own URL has the same scheme, host and port, begins the path, and is for its owner.
 * @returns undefined when there is none, so that the repository is fetched without credential
 */
export function providerFor(fleet: Pick<Fleet, 'providers'>, url: string): FleetProvider | undefined {
  return fleet.providers.find((provider) => lies(url, provider));
}

/** The provider whose credential fetches the root source of a cluster: the named one, or the one for its URL. */
export function rootProviderOf(
  fleet: Pick<Fleet, 'providers'>,
  cluster: FleetCluster,
): FleetProvider | undefined {
  const { provider, url } = cluster.source;
  if (provider === undefined) return providerFor(fleet, url);
  return fleet.providers.find(({ name }) => name === provider);
}

function lies(url: string, provider: FleetProvider): boolean {
  if (!URL.canParse(url) || !URL.canParse(provider.url)) return false;
  const [inner, outer] = [new URL(url), new URL(provider.url)];
  const base = `${outer.pathname.replace(/\/$/, '')}/`;
  if (inner.origin !== outer.origin || !inner.pathname.startsWith(base)) return false;
  return isOwned(provider, inner.pathname.slice(base.length));
}

function splitListen(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

function isHostOrRange(text: string): boolean {
  const [address, prefix, more] = text.split('/');
  if (address === undefined || more !== undefined) return false;
  const family = isIP(address);
  if (prefix === undefined)
    return (
      family !== 0 ||
      /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(address)
    );
  if (family === 0 || !/^\d{1,3}$/.test(prefix)) return false;
  return Number(prefix) <= (family === 4 ? 32 : 128);
}
