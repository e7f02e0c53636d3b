import pLimit from 'p-limit';
import { sweep } from '../../lib/pipeline/sweep.ts';
import { appObjects, kustomization, names, toYaml } from './manifests.ts';
import type { Figure } from './report.ts';
import { figure, percentile } from './report.ts';
import { resultOf } from './result-of.ts';
import type { Stage } from './stage.ts';

/** Sizes of the cases; `--scale` multiplies them. */
export interface Sizes {
  /** How often a first apply is measured. */
  rounds: number;
  apps: number;
  monorepo: number;
  objects: number;
  pushes: number;
  images: number;
  hops: number;
  webhooks: number;
}

/** The namespace of all that is deployed. */
export const NAMESPACE = 'bench';

/** The branch, and the source that follows it, of the monorepo. */
const MONOREPO = 'monorepo';

/** All of them due, and nothing to be done. */
export async function unchanged(stage: Stage): Promise<Figure[]> {
  const times = await stage.ctx.index.dueTimes.all('bench');
  await stage.ctx.index.dueTimes.setAll(
    'bench',
    new Map([...times.keys()].filter((key) => key.startsWith('Kustomization/')).map((key) => [key, 0])),
  );
  const before = await clusterVersion(stage);
  const began = performance.now();
  const report = await sweep(stage.ctx, 'bench');
  const ms = performance.now() - began;
  const writes = (await clusterVersion(stage)) - before;
  return [
    figure('unchanged', ms, 'ms', 3_000, 'the bar', 1, [
      `${writes} writes (the lease is one), ${Object.keys(report.sent).length} jobs`,
    ]),
  ];
}

/** One application of a monorepo changes; the others only move to the new revision. The same in the root's repository, which has more, is told beside it. */
export async function monorepoOneOf300(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  const { repository } = stage;
  const large = await changeOne(stage, names('app', sizes.apps), 'main');
  await repository.git(['checkout', '--quiet', '--orphan', MONOREPO]);
  await repository.git(['rm', '-r', '--quiet', '--force', '.']);
  const all = names('mono', sizes.monorepo);
  const commit = await repository.commit(filesOf(all, '1'));
  await stage.client.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: MONOREPO, namespace: 'flux-system' },
    spec: { url: stage.repositoryUrl, ref: { branch: MONOREPO }, interval: '1h' },
  });
  await createAll(stage, all, { sourceRef: { kind: 'GitRepository', name: MONOREPO } });
  await stage.ready(all, commit);
  const { first, rest } = await changeOne(stage, all, MONOREPO);
  await repository.git(['checkout', '--quiet', 'main']);
  const notes = [
    `${all.length} at the revision after ${rest} ms (bar 5000)`,
    `of ${sizes.apps} in one repository: one after ${large.first} ms, all after ${large.rest} ms`,
  ];
  return [figure('monorepo-one-of-300', first, 'ms', 2_000, 'the bar', rest <= 5_000 ? 1 : 0, notes)];
}

/** Makes a Kustomization for each application, in the cluster itself. @param spec more of their specs */
export async function createAll({ client }: Stage, all: readonly string[], spec = {}): Promise<void> {
  const limit = pLimit(32);
  const create = (name: string) => client.create(kustomization(name, `./apps/${name}`, spec));
  await Promise.all(all.map((name) => limit(() => create(name))));
}

/** Pushes a change of the first of the applications. @returns after how long it was applied, and all of them were at the revision, in ms */
async function changeOne(
  stage: Stage,
  all: readonly string[],
  branch: string,
): Promise<{ first: number; rest: number }> {
  const one = all.slice(0, 1);
  const commit = await stage.repository.commit(filesOf(one, '2'), 'one application');
  const began = Date.now();
  await stage.push(commit, branch);
  const first = (await stage.ready(one, commit)) - began;
  return { first, rest: (await stage.ready(all, commit)) - began };
}

/** The manifests of applications, each in a folder of its own. @param version stands in their ConfigMaps */
export function filesOf(all: readonly string[], version: string): Record<string, string> {
  return Object.fromEntries(
    all.map((name) => [`apps/${name}/app.yaml`, toYaml(appObjects(name, NAMESPACE, version))]),
  );
}

/** One object of a Kustomization with 1,500 changes. */
export async function oneOf1500(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  const all = names('item', sizes.objects);
  const file = (changed: string) =>
    toYaml(
      all.map((name) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: NAMESPACE },
        data: { changed: name === all[7] ? changed : 'no' },
      })),
    );
  const added = await stage.repository.commit({
    'apps/large/items.yaml': file('no'),
    'clusters/bench/large.yaml': toYaml([kustomization('large', './apps/large')]),
    'clusters/bench/kustomization.yaml': 'resources: [large.yaml]\n',
  });
  await stage.push(added);
  await stage.ready(['large'], added);
  await stage.quiet();
  const commit = await stage.repository.commit({ 'apps/large/items.yaml': file('yes') });
  const began = Date.now();
  await stage.push(commit);
  const ms = (await stage.ready(['large'], commit)) - began;
  const [run] = await stage.ctx.index.runs.list({
    cluster: 'bench',
    object: 'Kustomization/flux-system/large',
    limit: 1,
  });
  const build = run?.steps.find(({ name }) => name === 'render')?.ms ?? 0;
  const written =
    run?.changes.filter(({ action }) => action === 'configured' || action === 'created').length ?? 0;
  return [
    figure('one-of-1500', ms, 'ms', build + 1_000, 'its build and a second', written === 1 ? 1 : 0, [
      `${written} object written`,
    ]),
  ];
}

/** From a push to its four objects being applied, warm. */
export async function pushToApplied(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  const times = await pushTimes(stage, sizes.pushes, 'resources: [large.yaml, warm.yaml]\n');
  return [figure('push-to-applied-p95', percentile(times, 0.95), 'ms', 2_000, 'the bar', 1, notesOf(times))];
}

/**
 * Pushes a change of four objects again and again.
 * @param root the root's `kustomization.yaml`, which names `warm.yaml`
 * @returns how long each took to be applied, in ms
 */
export async function pushTimes(stage: Stage, pushes: number, root: string): Promise<number[]> {
  const added = await stage.repository.commit({
    ...filesOf(['warm'], '0'),
    'clusters/bench/warm.yaml': toYaml([kustomization('warm', './apps/warm')]),
    'clusters/bench/kustomization.yaml': root,
  });
  await stage.push(added);
  await stage.ready(['warm'], added);
  const times: number[] = [];
  for (let push = 1; push <= pushes; push++) {
    const commit = await stage.repository.commit(filesOf(['warm'], String(push)));
    const began = Date.now();
    await stage.push(commit);
    times.push((await stage.ready(['warm'], commit)) - began);
  }
  return times;
}

/** What is told beside a percentile. */
export function notesOf(times: readonly number[], what = 'pushes'): string[] {
  return [`median ${Math.round(percentile(times, 0.5))} ms over ${times.length} ${what}`];
}

/** A chain of Kustomizations, each depending on the one before. */
export async function dependsOnHop(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  const all = names('hop', sizes.hops);
  const chain = all.map((name, index) =>
    kustomization(name, `./apps/${name}`, index === 0 ? {} : { dependsOn: [{ name: all[index - 1] }] }),
  );
  const added = await stage.repository.commit({
    ...filesOf(all, '1'),
    'clusters/bench/chain.yaml': toYaml(chain),
    'clusters/bench/kustomization.yaml': 'resources: [large.yaml, warm.yaml, chain.yaml]\n',
  });
  await stage.push(added);
  await stage.ready(all, added);
  const commit = await stage.repository.commit(filesOf(all, '2'));
  await stage.push(commit);
  const first = await stage.ready(all.slice(0, 1), commit);
  const last = await stage.ready(all, commit);
  return [
    figure('depends-on-hop', (last - first) / (sizes.hops - 1), 'ms', 500, 'the bar', 1, [
      `${sizes.hops - 1} hops`,
    ]),
  ];
}

/** How long a webhook takes to be answered, four at a time. */
export async function webhookP99(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  // Nobody watches that repository: the answer is given before the push is looked at.
  const repositoryUrl = `${stage.repositoryUrl}-other`;
  const times = await resultOf<number[]>('webhook-process.ts', {
    url: stage.url,
    repositoryUrl,
    count: sizes.webhooks,
  });
  const notes = [`median ${Math.round(percentile(times, 0.5) * 10) / 10} ms over ${times.length}`];
  return [figure('webhook-p99', percentile(times, 0.99), 'ms', 50, 'the bar', 1, notes)];
}

/** Grows by one with every write to the cluster. */
async function clusterVersion(stage: Stage): Promise<number> {
  const { resourceVersion } = await stage.client.listMetadata({
    group: '',
    version: 'v1',
    kind: 'Namespace',
  });
  return Number(resourceVersion);
}
