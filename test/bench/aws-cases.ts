import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../../lib/core/object.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import { filesOf, NAMESPACE, notesOf, pushTimes, type Sizes } from './cases.ts';
import { kustomization, names, toYaml } from './manifests.ts';
import { type Figure, figure, percentile } from './report.ts';
import type { Stage } from './stage.ts';

/** What a push and a hop may take over AWS's queues, in ms. */
const BAR_MS = 3_000;

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/** Deployments are rolled out so long after Slipway began to wait for them, in ms: the first of them, and the last. */
const ROLLED_OUT_MS = { first: 1_000, last: 30_000 };

/** From a push to its four objects being applied, warm, through webhook, fan-out and two jobs. */
export async function awsPushToApplied(stage: Stage, { pushes }: Sizes): Promise<Figure[]> {
  await stage.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const times = await pushTimes(stage, pushes, 'resources: [warm.yaml]\n');
  return [
    figure('aws-push-to-applied-p95', percentile(times, 0.95), 'ms', BAR_MS, 'the bar', 1, notesOf(times)),
  ];
}

/** From the moment in which a Deployment is rolled out to its Kustomization, which waits for it, being ready. */
export async function awsHealthRecheckHop(stage: Stage, { pushes }: Sizes): Promise<Figure[]> {
  const all = names('slow', pushes);
  const commit = await deploy(stage, 'slow', all, () => ({ wait: true, timeout: '10m' }));
  const step = (ROLLED_OUT_MS.last - ROLLED_OUT_MS.first) / Math.max(all.length - 1, 1);
  const times = await Promise.all(
    all.map(async (name, index) => {
      await untilWaiting(stage, name);
      await delay(ROLLED_OUT_MS.first + index * step);
      const began = Date.now();
      await rollOut(stage, name);
      return (await stage.ready([name], commit)) - began;
    }),
  );
  const notes = notesOf(
    times,
    `Deployments that took ${ROLLED_OUT_MS.first / 1_000} to ${ROLLED_OUT_MS.last / 1_000} s`,
  );
  return [figure('aws-health-recheck-hop-p95', percentile(times, 0.95), 'ms', BAR_MS, 'the bar', 1, notes)];
}

/** A chain of Kustomizations, each waiting for the health of the one before; Deployments are rolled out as soon as they are there. */
export async function awsDependsOnHop(stage: Stage, { pushes }: Sizes): Promise<Figure[]> {
  const all = names('chain', pushes + 1);
  const stop = new AbortController();
  const controller = rollOutAll(stage, new Set(all), stop.signal);
  const commit = await deploy(stage, 'chain', all, (index) => ({
    wait: true,
    timeout: '10m',
    ...(index === 0 ? {} : { dependsOn: [{ name: all[index - 1] }] }),
  }));
  const ended = await Promise.all(all.map((name) => stage.ready([name], commit)));
  stop.abort();
  await controller;
  const hops = ended.slice(1).map((at, index) => at - (ended[index] ?? 0));
  return [
    figure(
      'aws-depends-on-hop-p95',
      percentile(hops, 0.95),
      'ms',
      BAR_MS,
      'the bar',
      1,
      notesOf(hops, 'hops'),
    ),
  ];
}

/** Pushes Kustomizations of one application each. @returns the commit */
async function deploy(
  stage: Stage,
  what: 'slow' | 'chain',
  all: readonly string[],
  specOf: (index: number) => Record<string, unknown>,
): Promise<string> {
  // What went before stays.
  const files = ['warm.yaml', 'slow.yaml', 'chain.yaml'].slice(0, what === 'slow' ? 2 : 3);
  const commit = await stage.repository.commit({
    ...filesOf(all, '1'),
    [`clusters/bench/${what}.yaml`]: toYaml(
      all.map((name, index) => kustomization(name, `./apps/${name}`, specOf(index))),
    ),
    'clusters/bench/kustomization.yaml': `resources: [${files.join(', ')}]\n`,
  });
  await stage.push(commit);
  return commit;
}

/** Resolves when a Kustomization has looked at its objects and waits for them. */
async function untilWaiting({ client }: Stage, name: string): Promise<void> {
  for (;;) {
    const found = await client.get<WithStatus>({ ...KUSTOMIZATION, namespace: 'flux-system', name });
    const conditions = (found?.status?.conditions ?? []) as { type: string; status: string }[];
    if (conditions.some(({ type, status }) => type === 'Healthy' && status === 'Unknown')) return;
    await delay(100);
  }
}

/** Rolls out Deployments as they come, as a controller would that needs no time. */
async function rollOutAll(stage: Stage, open: Set<string>, signal: AbortSignal): Promise<void> {
  while (open.size > 0 && !signal.aborted) {
    const { items } = await stage.client.list<KubernetesObject>(DEPLOYMENT, { namespace: NAMESPACE });
    for (const { metadata } of items) if (open.delete(metadata.name)) await rollOut(stage, metadata.name);
    await delay(50);
  }
}

/** Says of a Deployment what its controller would say; there is none on the stage. */
async function rollOut({ client }: Stage, name: string): Promise<void> {
  const ref = { ...DEPLOYMENT, namespace: NAMESPACE, name };
  const live = await client.get<KubernetesObject>(ref);
  if (!live) throw new Error(`there is no Deployment ${name}`);
  const status = {
    observedGeneration: live.metadata.generation,
    conditions: [
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    ],
  };
  await client.updateStatus({ ...live, status });
}
