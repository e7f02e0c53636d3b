import { messageOf } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, formatApiVersion, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { PART_OF } from '../toolkit/annotations.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { kinds, unsupportedKinds } from '../toolkit/registry.ts';
import { type AppliedContext, renderApplied } from './applied-worlds.ts';
import { clusterHolder, forgetWriter, removeHolder, runningFlux } from './cluster-writer.ts';
import type { ClusterConnection, Context } from './context.ts';
import { isReconciled } from './kinds.ts';
import { liveKustomizations, type PlannedKustomization, planWorld } from './plan.ts';

/** How many replicas a controller of Flux had before it was scaled to none. */
export const REPLICAS = 'slipway.dev/replicas';

/** A controller of Flux in a cluster. */
export interface FluxController {
  namespace: string;
  name: string;
  /** Now. */
  replicas: number;
  /** Before an adoption; undefined when there was none. */
  before: number | undefined;
  version: string;
}

/** What an adoption would meet. */
export interface Preflight {
  controllers: FluxController[];
  /** Controllers whose leader election lease is fresh. */
  running: string[];
  /** Why the cluster must not be taken over as it is. */
  problems: string[];
  /** What Slipway would change, Kustomization by Kustomization, at the revisions that are applied now. */
  planned: PlannedKustomization[];
}

interface Deployment extends KubernetesObject {
  spec: { replicas?: number; template?: { spec?: { containers?: { image?: string }[] } } };
}

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };

/** Shards of a controller carry its name with an ending. */
const CONTROLLERS =
  /^(source|kustomize|helm|notification|image-reflector|image-automation)-controller(-|$)|^source-watcher$/;

/** What writes last is stopped last started, and the other way round: kustomize-controller and helm-controller first. */
const WRITERS = /^(kustomize|helm)-controller/;

/** Flux's leases hold for a minute after their last renewal; pods take up to half a minute to end. */
const STOP_TIMEOUT = 150_000;
const LOOK = 2_000;

/** Looks whether a cluster where Flux works can be taken over without changing anything in it. Writes nothing. */
export async function preflight(ctx: AppliedContext, cluster: ClusterConnection): Promise<Preflight> {
  const { client } = cluster;
  const [controllers, running] = await Promise.all([fluxControllers(client), runningFlux(ctx, cluster)]);
  const problems = [...(await unsupported(client)), ...(await invalid(client)), ...(await operated(client))];
  const live = await liveKustomizations(client);
  const applied = await renderApplied(ctx, cluster, live);
  problems.push(...applied.problems);
  const planned = await planWorld(ctx, cluster, applied.world, live);
  return { controllers, running, problems, planned };
}

/** Whether a plan would do anything, or fail. */
export function isUntouched({ state, entries }: PlannedKustomization): boolean {
  if (state !== 'rendered') return state === 'suspended';
  return entries.every(({ action }) => action === 'unchanged' || action === 'skipped');
}

/**
 * Scales Flux's controllers to none and waits until their leases are over. What they had is noted on them. Doing it again goes on
 * where it ended.
 * @throws Error naming the controllers that go on working all the same
 */
export async function stopFlux(
  ctx: Pick<Context, 'now' | 'sleep'>,
  cluster: ClusterConnection,
): Promise<FluxController[]> {
  const { client, config } = cluster;
  const controllers = await fluxControllers(client);
  for (const { namespace, name, replicas } of controllers.toSorted(byWriters)) {
    if (replicas === 0) continue;
    await client.patch({ ...DEPLOYMENT, namespace, name }, 'merge', {
      metadata: { annotations: { [REPLICAS]: String(replicas) } },
      spec: { replicas: 0 },
    });
  }
  const deadline = ctx.now() + STOP_TIMEOUT;
  for (;;) {
    const running = await runningFlux(ctx, cluster);
    if (running.length === 0) break;
    if (ctx.now() > deadline) {
      throw new Error(
        `Flux goes on in cluster ${config.name} (${running.join(', ')}), though its controllers were scaled to none; ` +
          'is something else scaling them, or do they run under another name? Nothing else was changed; ' +
          `run "slipway release ${config.name}" to scale them up again`,
      );
    }
    await ctx.sleep(LOOK);
  }
  forgetWriter(cluster);
  return controllers;
}

/**
 * Gives a cluster back to Flux: its controllers get the replicas they had, and our Lease goes.
 * @param options `force`: although a Slipway is at work there
 * @returns the controllers that were scaled
 * @throws Error when a Slipway is at work there: two writers would undo each other's work
 */
export async function release(
  ctx: Pick<Context, 'now'>,
  cluster: ClusterConnection,
  options: { force: boolean; dryRun: boolean },
): Promise<FluxController[]> {
  const { client, config } = cluster;
  const holder = await clusterHolder(ctx, cluster);
  if (holder?.fresh && !options.force) {
    throw new Error(
      `Slipway ${holder.holder} is at work in cluster ${config.name}; stop "slipway serve" first, release the cluster, take it out of ` +
        'slipway.yaml and start again, or give --force',
    );
  }
  const scaled = (await fluxControllers(client)).filter(({ before }) => before !== undefined);
  if (options.dryRun) return scaled;
  await removeHolder(cluster);
  forgetWriter(cluster);
  for (const { namespace, name, before } of scaled.toSorted(byWriters).reverse()) {
    await client.patch({ ...DEPLOYMENT, namespace, name }, 'merge', {
      metadata: { annotations: { [REPLICAS]: null } },
      spec: { replicas: before },
    });
  }
  return scaled;
}

/** Flux's controllers in a cluster, wherever they were installed. */
export async function fluxControllers(client: KubeClient): Promise<FluxController[]> {
  const { items } = await client.list<Deployment>(DEPLOYMENT, { labelSelector: `${PART_OF}=flux` });
  return items
    .filter(({ metadata }) => CONTROLLERS.test(metadata.name))
    .map(({ metadata, spec }) => {
      const noted = metadata.annotations?.[REPLICAS];
      const before = noted !== undefined && /^\d+$/.test(noted) ? Number(noted) : undefined;
      const { namespace = '', name } = metadata;
      return { namespace, name, replicas: spec.replicas ?? 1, before, version: versionOf(metadata, spec) };
    });
}

function byWriters(a: FluxController, b: FluxController): number {
  return Number(WRITERS.test(b.name)) - Number(WRITERS.test(a.name));
}

function versionOf({ labels }: KubernetesObject['metadata'], spec: Deployment['spec']): string {
  const image = spec.template?.spec?.containers?.[0]?.image ?? '';
  const tag = /:([^:@/]+)(@.*)?$/.exec(image)?.[1];
  return tag ?? labels?.['app.kubernetes.io/version'] ?? '';
}

/** Objects that nobody would reconcile any more. */
async function unsupported(client: KubeClient): Promise<string[]> {
  const problems: string[] = [];
  for (const { group, kind } of [...unsupportedKinds, ...kinds].filter((each) => !isReconciled(each))) {
    const resource = await client.preferred(group, kind);
    if (!resource) continue;
    const { items } = await client.listMetadata(resource);
    if (items.length === 0) continue;
    const names = items.slice(0, 5).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    const more = items.length > names.length ? ` and ${items.length - names.length} more` : '';
    problems.push(`${kind} is not supported yet, and nobody would reconcile ${names.join(', ')}${more}`);
  }
  return problems;
}

/** Objects that Slipway would refuse. */
async function invalid(client: KubeClient): Promise<string[]> {
  const problems: string[] = [];
  for (const { group, version, kind } of kinds) {
    const { items } = await client.list<KubernetesObject>({ group, version, kind });
    for (const item of items) {
      const parsed = parseToolkitObject({ ...item, apiVersion: formatApiVersion({ group, version }), kind });
      if (!parsed.ok) problems.push(...parsed.errors.map(({ message }) => message));
    }
  }
  return problems;
}

/** The Flux Operator would scale the controllers up again. */
async function operated(client: KubeClient): Promise<string[]> {
  const resource = await client.preferred('fluxcd.controlplane.io', 'FluxInstance');
  if (!resource) return [];
  const { items } = await client.listMetadata(resource);
  const annotation = 'fluxcd.controlplane.io/reconcile';
  return items
    .filter(({ metadata }) => metadata.annotations?.[annotation] !== 'disabled')
    .map((item) => {
      const name = describe(refOf({ ...item, apiVersion: formatApiVersion(resource), kind: resource.kind }));
      return `${name} would start Flux again; annotate it with ${annotation}: disabled first`;
    });
}

/** What keeps a preflight from being clean, for people. */
export function obstacles({ problems, planned }: Preflight): string[] {
  const touched = planned.filter((one) => !isUntouched(one));
  return [
    ...problems,
    ...touched.map(({ key, error, entries }) => {
      if (error !== undefined) return `${key}: ${messageOf(error)}`;
      const changed = entries.filter(({ action }) => action !== 'unchanged' && action !== 'skipped');
      const named = changed.slice(0, 5).map(({ ref, action, detail }) => {
        return `${describe(ref)} ${action}${detail === undefined ? '' : ` (${detail})`}`;
      });
      const more = changed.length > named.length ? ` and ${changed.length - named.length} more` : '';
      return `${key}: what it has applied is not what stands in the cluster: ${named.join(', ')}${more}`;
    }),
  ];
}
