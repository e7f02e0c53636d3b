import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enqueue, reconcileJob } from '../../lib/pipeline/enqueue.ts';
import { type Death, Doom } from '../support/doom.ts';
import { configMap, configMaps, gitRepository, kustomization, yaml } from '../support/fleet-repository.ts';
import { inventoryOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { CLUSTER, live, type Mortal, openWorld, type World } from '../support/mortal.ts';

let kubernetes: Kubernetes;
let objects: Objects;
let world: World;
let teams = 0;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  objects = objectsOf(kubernetes);
  world = await openWorld(kubernetes);
  world.commit('owner/fleet', { 'root.yaml': map('root', '1') });
  const first = await live(world);
  await first.sweep();
  await first.drain();
});
afterAll(async () => {
  await world?.close();
  await kubernetes?.stop();
});

function map(name: string, value: string): string {
  return yaml(configMap(name, 'default', { value }));
}

interface Team {
  name: string;
  repository: string;
  commit(files: Record<string, string>): string;
  value(name: string): Promise<string | undefined>;
  uid(name: string): Promise<string | undefined>;
  /** Asserts that a Kustomization is ready at a commit with exactly these objects in its inventory. */
  holds(name: string, commit: string, names: string[]): Promise<void>;
  status(commit: string): string | undefined;
}

/** A team with Kustomizations of the paths `./<name>`, reconciled once. */
async function makeTeam(names: string[], files: Record<string, string>): Promise<Team> {
  teams += 1;
  const name = `team-${teams}`;
  const repository = `owner/${name}`;
  world.commit(repository, files);
  await objects.namespace(name);
  await objects.create('gitrepositories', gitRepository('app', name, world.url(repository)));
  for (const each of names) {
    const spec = { targetNamespace: name, sourceRef: { kind: 'GitRepository', name: 'app' } };
    await objects.create('kustomizations', kustomization(each, `./${each}`, spec, name));
  }
  const mortal = await live(world);
  await mortal.sweep();
  await mortal.drain();
  const one = (which: string) =>
    objects.get<{ metadata: { uid: string }; data: { value: string } }>('configmaps', name, which);
  return {
    name,
    repository,
    commit: (next) => world.commit(repository, next),
    value: async (which) => (await one(which))?.data.value,
    uid: async (which) => (await one(which))?.metadata.uid,
    async holds(which, commit, wanted) {
      const object = await objects.get('kustomizations', name, which);
      expect(object?.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      );
      expect(isReadyAt(object, commit)).toBe(true);
      expect(inventoryOf(object)).toEqual(wanted.map((each) => `${name}_${each}__ConfigMap`).sort());
    },
    status: (commit) => world.statuses.get(`${commit} slipway/${CLUSTER}`)?.state,
  };
}

/** Runs a push in a process that dies, or that is held up. */
async function pushInto(mortal: Mortal, team: Team, commit: string): Promise<boolean> {
  return mortal.dies(async () => {
    await mortal.push(team.repository, commit);
    await mortal.drain();
  });
}

/** Lets the time pass in which writes of a worker that was cut off may come late. */
async function calm(): Promise<void> {
  world.advance(65_000);
  await (await live(world)).drain();
}

async function dyingAt(death: Death): Promise<Mortal> {
  return live(world, new Doom(death));
}

describe('a process that is killed', () => {
  test('after it applied and before the index was written: a revert of the commit is applied all the same', async () => {
    const first = { 'app/a.yaml': map('a', '1'), 'app/b.yaml': map('b', '1') };
    const team = await makeTeam(['app'], first);
    const [a, b] = await Promise.all([team.uid('a'), team.uid('b')]);
    const changed = team.commit({
      'app/a.yaml': map('a', '2'),
      'app/b.yaml': map('b', '1'),
      'app/c.yaml': map('c', '1'),
    });
    const killed = await dyingAt({ at: (name) => name === `batch applied#${CLUSTER}`, when: 'before' });
    expect(await pushInto(killed, team, changed)).toBe(true);
    expect(await team.value('a')).toBe('2');
    expect(await team.value('c')).toBe('1');
    await world.bury();

    // What the index remembers is what the revert asks for; only the cluster differs.
    const reverted = team.commit(first);
    const next = await live(world);
    await next.push(team.repository, reverted);
    await next.drain();
    expect(await Promise.all(['a', 'b', 'c'].map(team.value))).toEqual(['1', '1', undefined]);
    expect(await Promise.all([team.uid('a'), team.uid('b')])).toEqual([a, b]);
    await calm();
    await team.holds('app', reverted, ['a', 'b']);
    expect(team.status(reverted)).toBe('success');
    expect(team.status(changed)).not.toBe('pending');
  });

  test('in the middle of a fan-out: every Kustomization gets the revision, and the commit waits for all of them', async () => {
    const names = ['k1', 'k2', 'k3', 'k4', 'k5'];
    const files = (value: string) =>
      Object.fromEntries(names.map((name) => [`${name}/${name}.yaml`, map(name, value)]));
    const team = await makeTeam(names, files('0'));
    const places = [
      /^put rollout/,
      /^send cluster/,
      /^updateStatus GitRepository/,
      /^put source-sent/,
      /^put outbox/,
      /^put due/,
    ];
    let value = 0;
    for (const place of places) {
      for (const when of ['before', 'after'] as const) {
        value += 1;
        const commit = team.commit(files(`${value}`));
        // The first such write is that of the announcement; the middle of the fan-out is where the source has its artifact.
        let fetched = false;
        const killed = await dyingAt({
          at(name) {
            fetched ||= name === 'put a blob';
            return fetched && place.test(name);
          },
          when,
        });
        expect(await pushInto(killed, team, commit)).toBe(true);
        await world.bury();
        const next = await live(world);
        await next.drain();
        expect(await Promise.all(names.map(team.value)), `${when} ${place}`).toEqual(
          names.map(() => `${value}`),
        );
        for (const name of names) await team.holds(name, commit, [name]);
        expect(team.status(commit), `${when} ${place}`).toBe('success');
      }
    }
  });

  test('again and again while it applies a large set: each life gets further, and the set is done', async () => {
    const team = await makeTeam(['app'], { 'app/maps.yaml': configMaps('map', 'default', 4) });
    const commit = team.commit({ 'app/maps.yaml': configMaps('map', 'default', 120) });
    const counts: number[] = [];
    for (let died = true; died; ) {
      let written = 0;
      const mortal = await dyingAt({
        at(name) {
          if (name.startsWith('apply ConfigMap/')) written += 1;
          return written > 30;
        },
        when: 'before',
      });
      died = counts.length === 0 ? await pushInto(mortal, team, commit) : await mortal.dies(mortal.drain);
      counts.push((await objects.names('configmaps', team.name)).length);
      await world.bury();
      expect(counts.length).toBeLessThanOrEqual(5);
    }
    expect(counts.at(-1)).toBe(120);
    expect(counts).toEqual([...new Set(counts)].sort((left, right) => left - right));
    await team.holds(
      'app',
      commit,
      Array.from({ length: 120 }, (_, index) => `map-${index}`),
    );
  });
});

describe('a worker that was frozen and has lost its lease', () => {
  /** Freezes a worker at a write while another one applies a newer commit, then lets it go on. */
  async function freeze(
    team: Team,
    at: RegExp,
    older: string,
    newer: () => string,
  ): Promise<{ late: string[]; newest: string }> {
    const thaw = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<void>();
    let held = false;
    const doom = new Doom(undefined, (name) => {
      if (held || !at.test(name)) return undefined;
      held = true;
      frozen.resolve();
      return thaw.promise;
    });
    const first = await live(world, doom);
    const running = (async () => {
      await first.push(team.repository, older);
      await first.drain();
    })();
    // What it says at its end, once it is awake and has lost its object, is nobody's concern.
    running.catch(() => {});
    await frozen.promise;
    const newest = newer();
    const second = await live(world);
    await second.push(team.repository, newest);
    // The source comes to it while the lease of what it brings still holds.
    await second.drain();
    world.advance(61_000);
    await second.drain();
    const before = doom.writes.length;
    thaw.resolve();
    await running.catch(() => {});
    await second.drain();
    return { late: doom.writes.slice(before), newest };
  }

  const files = (a: string, ...more: string[]) => ({
    'app/a.yaml': map('a', a),
    ...Object.fromEntries(more.map((name) => [`app/${name}.yaml`, map(name, a)])),
  });

  test('cannot leave what it creates too late: it stands in the inventory until it is deleted', async () => {
    const team = await makeTeam(['app'], files('1', 'b'));
    const older = team.commit(files('2', 'c'));
    const { newest } = await freeze(team, /^apply ConfigMap\/c$/, older, () => team.commit(files('3', 'b')));
    expect(await team.value('c')).toBe('2');
    await team.holds('app', newest, ['a', 'b', 'c']);
    await calm();
    expect(await Promise.all(['a', 'b', 'c'].map(team.value))).toEqual(['3', '3', undefined]);
    await team.holds('app', newest, ['a', 'b']);
    expect(team.status(newest)).toBe('success');
  });

  test('and what it creates too late is found although a run in between has nothing to do', async () => {
    const team = await makeTeam(['app'], files('1', 'b'));
    const older = team.commit(files('2', 'c'));
    const { newest } = await freeze(team, /^apply ConfigMap\/c$/, older, () => team.commit(files('3', 'b')));
    const { ctx, drain } = await live(world);
    const app = {
      group: 'kustomize.toolkit.fluxcd.io',
      kind: 'Kustomization',
      namespace: team.name,
      name: 'app',
    };
    await enqueue(ctx, [{ job: reconcileJob(ctx, CLUSTER, app, 'watch') }]);
    await drain();
    await calm();
    expect(await team.value('c')).toBeUndefined();
    await team.holds('app', newest, ['a', 'b']);
  });

  test.each([
    ['delete what a newer commit has brought back', '1', /^delete ConfigMap\/b$/],
    ['change what a newer commit has changed back', '2', /^apply ConfigMap\/b$/],
  ])('cannot %s', async (_what, value, at) => {
    const team = await makeTeam(['app'], files('1', 'b'));
    const before = await objects.get('configmaps', team.name, 'b');
    const older = team.commit({ ...files('2'), ...(value === '2' ? { 'app/b.yaml': map('b', value) } : {}) });
    const { newest } = await freeze(team, at, older, () =>
      team.commit({ 'app/a.yaml': map('a', '3'), 'app/b.yaml': map('b', '1') }),
    );
    const after = await objects.get('configmaps', team.name, 'b');
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    expect(await Promise.all(['a', 'b'].map(team.value))).toEqual(['3', '1']);
    // The fence has left nothing behind.
    expect(after?.metadata.annotations).toBeUndefined();
    expect(after?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['kustomize-controller', 'Apply'],
    ]);
    await calm();
    await team.holds('app', newest, ['a', 'b']);
  });

  test.each([
    ['an update', /^apply ConfigMap\/a$/],
    ['a deletion', /^delete ConfigMap\/b$/],
    ['its status', /^updateStatus Kustomization\/app$/],
    ['the index', /^batch applied#/],
    ['the record of its inputs', /^put inputs#/],
  ])('cannot finish %s', async (_what, at) => {
    const team = await makeTeam(['app'], files('1', 'b'));
    const uids = await Promise.all(['a', 'b'].map(team.uid));
    const older = team.commit(files('2', 'c'));
    const { newest } = await freeze(team, at, older, () => team.commit(files('3', 'b')));
    expect(await Promise.all(['a', 'b', 'c'].map(team.value))).toEqual(['3', '3', undefined]);
    expect(await team.uid('a')).toBe(uids[0]);
    await calm();
    await team.holds('app', newest, ['a', 'b']);
    expect(team.status(newest)).toBe('success');
    expect(team.status(older)).not.toBe('pending');
    // What the index says must be what is there: a revert to the frozen worker's commit is applied in full.
    const again = team.commit(files('2', 'c'));
    const third = await live(world);
    await third.push(team.repository, again);
    await third.drain();
    expect(await Promise.all(['a', 'b', 'c'].map(team.value))).toEqual(['2', undefined, '2']);
  });
});
