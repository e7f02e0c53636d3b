import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { work } from '../../lib/pipeline/worker.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import { Doom } from '../support/doom.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, gitRepository, kustomization, yaml } from '../support/fleet-repository.ts';
import { conditionOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { CLUSTER, live, openWorld, type World } from '../support/mortal.ts';

let kubernetes: Kubernetes;
let objects: Objects;
let world: World;
let teams = 0;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  objects = objectsOf(kubernetes);
  world = await openWorld(kubernetes);
  world.commit('owner/fleet', { 'root.yaml': yaml(configMap('root', 'default', { a: '1' })) });
  const first = await live(world);
  await first.sweep();
  await first.drain();
});
afterAll(async () => {
  await world?.close();
  await kubernetes?.stop();
});

const files = (value: string) => ({ 'app/a.yaml': yaml(configMap('a', 'default', { value })) });

async function makeTeam() {
  teams += 1;
  const name = `team-${teams}`;
  const repository = `owner/${name}`;
  world.commit(repository, files('0'));
  await objects.namespace(name);
  await objects.create('gitrepositories', gitRepository('app', name, world.url(repository)));
  const spec = { targetNamespace: name, sourceRef: { kind: 'GitRepository', name: 'app' } };
  await objects.create('kustomizations', kustomization('app', './app', spec, name));
  const mortal = await live(world);
  await mortal.sweep();
  await mortal.drain();
  return {
    name,
    repository,
    commit: (value: string) => world.commit(repository, files(value)),
    value: async () => (await objects.get<{ data: { value: string } }>('configmaps', name, 'a'))?.data.value,
    ready: async (commit: string) => isReadyAt(await objects.get('kustomizations', name, 'app'), commit),
    status: (commit: string) => world.statuses.get(`${commit} slipway/${CLUSTER}`)?.state,
    posted: (commit: string) =>
      world.posted.filter((each) => each.commit === commit).map(({ state }) => state),
  };
}

describe('deliveries', () => {
  test('in the wrong order end at the newest commit, and the older one is superseded', async () => {
    const team = await makeTeam();
    const [a, b] = [team.commit('a'), team.commit('b')];
    const mortal = await live(world);
    await mortal.push(team.repository, b);
    await mortal.drain();
    await mortal.push(team.repository, a);
    await mortal.drain();
    expect(await team.value()).toBe('b');
    expect(await team.ready(b)).toBe(true);
    expect([team.status(a), team.status(b)]).toEqual(['superseded', 'success']);
  });

  test('ten times over apply once and post one sequence of statuses', async () => {
    const team = await makeTeam();
    const commit = team.commit('1');
    const doom = new Doom();
    const mortal = await live(world, doom);
    await Promise.all(Array.from({ length: 10 }, () => mortal.push(team.repository, commit)));
    await mortal.drain();
    expect(await team.value()).toBe('1');
    expect(doom.writes.filter((name) => name === 'apply ConfigMap/a')).toHaveLength(1);
    expect(team.posted(commit).filter((state) => state === 'success')).toHaveLength(1);
    // A replay, much later.
    world.advance(3_600_000);
    await mortal.push(team.repository, commit);
    await mortal.drain();
    expect(doom.writes.filter((name) => name === 'apply ConfigMap/a')).toHaveLength(1);
    expect(team.posted(commit).at(-1)).toBe('success');
    expect(team.posted(commit).filter((state) => state === 'success')).toHaveLength(1);
  });

  test('of A, B and A again within minutes end at A, which is applied again', async () => {
    const team = await makeTeam();
    const a = team.commit('a');
    const mortal = await live(world);
    await mortal.push(team.repository, a);
    await mortal.drain();
    const b = team.commit('b');
    await mortal.push(team.repository, b);
    await mortal.drain();
    expect(await team.value()).toBe('b');
    world.repositories.set(team.repository, { commit: a, files: files('a') });
    await mortal.push(team.repository, a);
    await mortal.drain();
    expect(await team.value()).toBe('a');
    expect(await team.ready(a)).toBe(true);
    expect([team.status(a), team.status(b)]).toEqual(['success', 'success']);
    // Green at the first time, pending while the cluster was brought back, green at the end.
    expect(team.posted(a).filter((state) => state === 'success').length).toBeGreaterThanOrEqual(1);
  });

  test('of a hundred pushes are coalesced: the last one is applied, and every commit ends', async () => {
    const team = await makeTeam();
    const doom = new Doom();
    const mortal = await live(world, doom);
    const looks = vi.spyOn(mortal.ctx.sources.GitRepository as SourceKind<KubernetesObject>, 'resolve');
    const commits: string[] = [];
    for (let index = 1; index <= 100; index++) {
      const commit = team.commit(`${index}`);
      commits.push(commit);
      await mortal.push(team.repository, commit);
    }
    await mortal.drain();
    expect(await team.value()).toBe('100');
    expect(doom.writes.filter((name) => name === 'apply ConfigMap/a')).toHaveLength(1);
    expect(commits.slice(0, -1).filter((commit) => team.status(commit) !== 'superseded')).toEqual([]);
    expect(team.status(commits.at(-1) ?? '')).toBe('success');
    // The jobs of those that were overtaken end without a look at the repository.
    expect(looks).toHaveBeenCalledTimes(2);
  });

  test('that can never be read become dead letters, and their object and all others go on', async () => {
    const team = await makeTeam();
    const other = await makeTeam();
    const stop = new AbortController();
    const mortal = await live(world);
    const ctx = { ...mortal.ctx, signal: stop.signal };
    const queue = ctx.queues.cluster(CLUSTER);
    const group = `${CLUSTER}/source.toolkit.fluxcd.io/GitRepository/${team.name}/app`;
    await queue.send([{ group, deduplicationId: `poison-${team.name}`, body: '{"type":"nonsense"}' }]);
    const commit = team.commit('after the poison');
    await mortal.push(team.repository, commit);
    const beside = other.commit('beside the poison');
    await mortal.push(other.repository, beside);
    const running = [ctx.queues.push, queue].map((each) => work(ctx, each, 2, (job) => handleJob(ctx, job)));
    try {
      // Its pauses are the queue's own, and time is ours.
      const tick = setInterval(() => world.advance(1_000), 100);
      try {
        await eventually('the others have gone on', () => other.ready(beside));
        await eventually('its own object has gone on', () => team.ready(commit));
      } finally {
        clearInterval(tick);
      }
    } finally {
      stop.abort(new Error('the test is over'));
      await Promise.all(running);
    }
    expect(await team.value()).toBe('after the poison');
    const [dead] = await queue.deadLetters(10);
    expect(dead).toMatchObject({ group, body: '{"type":"nonsense"}' });
  });

  test('for an object that does not exist, or no longer, end without a trace', async () => {
    const team = await makeTeam();
    const mortal = await live(world);
    const queue = mortal.ctx.queues.cluster(CLUSTER);
    await objects.patch('gitrepositories', team.name, 'app', { metadata: { finalizers: null } });
    await objects.delete('gitrepositories', team.name, 'app');
    const commit = team.commit('nobody');
    await mortal.push(team.repository, commit);
    await mortal.drain();
    await mortal.sweep();
    await mortal.drain();
    expect(await team.value()).toBe('0');
    expect(team.status(commit)).toBe('failure');
    const left = await queue.deadLetters(10);
    expect(left.filter(({ group }) => group.includes(team.name))).toEqual([]);
    expect(conditionOf(await objects.get('kustomizations', team.name, 'app'))).toBeDefined();
  });
});
