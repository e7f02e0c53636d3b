import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { ClusterConnection, Context } from './context.ts';

/** A `coordination.k8s.io/v1` Lease, as far as it is read. */
interface Lease extends KubernetesObject {
  spec?: { holderIdentity?: string; renewTime?: string; leaseDurationSeconds?: number };
}

const LEASE = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };
const NAMESPACE = 'flux-system';
const OURS = 'slipway';

/** The leader election leases of the Flux controllers whose work Slipway does; a shard adds its own ending. */
const FLUX_LEASES =
  /^(kustomize|source|helm|notification|image-reflector|image-automation)-controller-leader-election(-.+)?$/;

/** A Flux lease counts as fresh for this long after its renewal; its own duration is 35 s. */
const FRESH_MS = 60_000;
/** Our own lease: taken over by another installation only this long after its last renewal, and never between two sweeps. */
const DURATION_SECONDS = 60;
/** How often a lease that somebody else writes at the same moment is looked at again. */
const ATTEMPTS = 5;
/** How long a look is good for. */
const LOOK_MS = 10_000;

/** Somebody else writes to a cluster. Nothing is written there then, not even a status. */
export class WriterError extends ReconcileError {
  constructor(message: string) {
    super('ReconciliationFailed', message, { outcome: 'wait', retryAfter: 30_000 });
  }
}

const looks = new WeakMap<object, { at: number; result: Promise<void> }>();

/**
 * Makes sure that nobody else writes to a cluster: no Flux controller that is running (its leases are fresh), and no other
 * installation of Slipway (a Lease of our own). A look is good for ten seconds.
 * @throws WriterError saying who writes there and how to go on
 */
export async function checkWriter(ctx: Context, cluster: ClusterConnection): Promise<void> {
  const known = looks.get(cluster);
  if (known && ctx.now() - known.at < LOOK_MS) return known.result;
  const result = look(ctx, cluster);
  looks.set(cluster, { at: ctx.now(), result });
  try {
    await result;
  } catch (error) {
    looks.delete(cluster);
    throw error;
  }
}

/** Forgets what was seen, for a command that has just changed it. */
export function forgetWriter(cluster: ClusterConnection): void {
  looks.delete(cluster);
}

/** Gives a cluster up when this installation stops, so that another one (or this one, without its store) need not wait. */
export async function releaseWriter(ctx: Context, cluster: ClusterConnection): Promise<void> {
  forgetWriter(cluster);
  const found = await cluster.client.get<Lease>({ ...LEASE, namespace: NAMESPACE, name: OURS });
  if (found?.spec?.holderIdentity !== ctx.installation) return;
  await cluster.client.update({ ...found, spec: { ...found.spec, holderIdentity: '' } });
}

/** The Flux controllers that are running in a cluster: those whose leader election lease is fresh. */
export async function runningFlux(
  ctx: Pick<Context, 'now'>,
  cluster: Pick<ClusterConnection, 'client'>,
): Promise<string[]> {
  const { items } = await cluster.client.list<Lease>(LEASE);
  return items
    .filter(({ metadata, spec }) => FLUX_LEASES.test(metadata.name) && isFresh(spec, ctx.now()))
    .map(({ metadata }) => metadata.name.replace(/-leader-election(-.+)?$/, ''));
}

/** Who holds a cluster: the Lease that keeps a second installation of Slipway out. */
export interface ClusterHolder {
  /** Names the installation; empty when it has given the cluster up. */
  holder: string;
  /** Epoch in ms; NaN when unknown. */
  renewedAt: number;
  /** Whether the holder is to be reckoned with. */
  fresh: boolean;
}

/** The installation of Slipway that holds a cluster, or held it last; undefined when none ever did. */
export async function clusterHolder(
  ctx: Pick<Context, 'now'>,
  { client }: Pick<ClusterConnection, 'client'>,
): Promise<ClusterHolder | undefined> {
  const found = await client.get<Lease>({ ...LEASE, namespace: NAMESPACE, name: OURS });
  if (!found) return undefined;
  const renewedAt = Date.parse(found.spec?.renewTime ?? '');
  return { holder: found.spec?.holderIdentity ?? '', renewedAt, fresh: isFresh(found.spec, ctx.now()) };
}

/** Removes our Lease altogether, for a cluster that Slipway is to leave. Returns false when there was none. */
export function removeHolder({ client }: Pick<ClusterConnection, 'client'>): Promise<boolean> {
  return client.delete({ ...LEASE, namespace: NAMESPACE, name: OURS });
}

async function look(ctx: Context, cluster: ClusterConnection): Promise<void> {
  const flux = await runningFlux(ctx, cluster);
  const { name } = cluster.config;
  if (flux.length > 0) {
    throw new WriterError(
      `Flux is running in cluster ${name} (${flux.join(', ')}): two writers would undo each other's work. ` +
        `Run 'slipway adopt ${name}' to take over from it, or take the cluster out of slipway.yaml`,
    );
  }
  await holdLease(ctx, cluster);
}

async function holdLease(ctx: Context, cluster: ClusterConnection): Promise<void> {
  const { client, config } = cluster;
  for (let attempt = 1; ; attempt++) {
    const found = await client.get<Lease>({ ...LEASE, namespace: NAMESPACE, name: OURS });
    const spec = {
      holderIdentity: ctx.installation,
      leaseDurationSeconds: Math.max(DURATION_SECONDS, Math.ceil((3 * ctx.fleet.sweep.interval) / 1_000)),
      renewTime: new Date(ctx.now()).toISOString().replace('Z', '000Z'),
    };
    if (found && found.spec?.holderIdentity !== ctx.installation && isFresh(found.spec, ctx.now())) {
      throw new WriterError(
        `another installation of Slipway (${found.spec?.holderIdentity}) writes to cluster ${config.name}; ` +
          `stop one of the two, or delete Lease/${NAMESPACE}/${OURS} there if the other is gone`,
      );
    }
    try {
      if (found) await client.update({ ...found, spec: { ...found.spec, ...spec } });
      else await createLease(client, spec);
      return;
    } catch (error) {
      // Another worker of ours renewed it in the same moment, or another installation took it: look who.
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function createLease(client: KubeClient, spec: Lease['spec']): Promise<void> {
  const metadata = { name: OURS, namespace: NAMESPACE };
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  try {
    await client.create(lease);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      { fieldManager: OURS, force: false },
    );
    await client.create(lease);
  }
}

function isFresh(spec: Lease['spec'], now: number): boolean {
  if (!spec?.holderIdentity || !spec.renewTime) return false;
  const duration = Math.max(FRESH_MS, (spec.leaseDurationSeconds ?? 0) * 1_000);
  return Date.parse(spec.renewTime) + duration > now;
}
