/**
 * Stories of a process that dies at one of its writes and is started again. A team gets three objects and a child Kustomization, then an
 * update of them, then the deletion; after each of these everything must be right within bounded time, wherever the process died.
 */
import { type Death, Doom } from './doom.ts';
import { configMap, gitRepository, kustomization, yaml } from './fleet-repository.ts';
import { conditionOf, inventoryOf, isReadyAt, objectsOf, type ToolkitObject } from './kube-objects.ts';
import { kubeCall } from './kube-request.ts';
import { startKubernetes } from './kubernetes.ts';
import { CLUSTER, live, type Mortal, openWorld } from './mortal.ts';

const map = (name: string, value: string) => yaml(configMap(name, '', { value }));

/** Three objects and a child Kustomization with one more. */
const FIRST = {
  'app/one.yaml': map('one', '1'),
  'app/two.yaml': map('two', '1'),
  'app/three.yaml': map('three', '1'),
  'app/child.yaml': yaml(
    kustomization(
      'child',
      './child',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: substituted by the Kustomization
      { targetNamespace: '${team}', sourceRef: { kind: 'GitRepository', name: 'app' } },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: substituted by the Kustomization
      '${team}',
    ),
  ),
  'child/leaf.yaml': map('leaf', '1'),
};
/** One changes, one goes, one is new; the child's changes, too. */
const { 'app/two.yaml': _, ...KEPT } = FIRST;
const SECOND = {
  ...KEPT,
  'app/one.yaml': map('one', '2'),
  'app/four.yaml': map('four', '1'),
  'child/leaf.yaml': map('leaf', '2'),
};

const APPLIED = {
  maps: { leaf: '1', one: '1', three: '1', two: '1' },
  app: ['child', 'one', 'three', 'two'],
  child: ['leaf'],
};
const UPDATED = {
  maps: { four: '1', leaf: '2', one: '2', three: '1' },
  app: ['child', 'four', 'one', 'three'],
  child: ['leaf'],
};

/** The n-th write. */
export type Place = Death & { at: number };

interface Expected {
  /** Names and values of ConfigMaps. */
  maps: Record<string, string>;
  /** Names in the inventories of `app` and `child`; undefined: the Kustomization is gone. */
  app?: string[];
  child?: string[];
  commit: string;
  /** An earlier commit with the same content: what it has rendered counts for this one as well. */
  same?: string;
}

/** So much time may pass, and no more, until everything is right again. */
const ROUNDS = 6;
const ROUND_MS = 20_000;

/** Names of calls that write to the cluster. */
export const CLUSTER_WRITE = /^(apply|create|update|updateStatus|patch|delete) [A-Z]/;

/** Tells stories on a control plane of their own. */
export interface CrashStories {
  /** First apply, an update, the deletion; the process may die once in each. @returns the writes of each */
  whole(deaths: readonly (Place | undefined)[]): Promise<string[][]>;
  /** An update in which the process dies, and which is reverted before it is started again. @returns the writes of the update */
  reverted(death: Place | undefined): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts the control plane. */
export async function openCrashStories(): Promise<CrashStories> {
  const kubernetes = await startKubernetes();
  const objects = objectsOf(kubernetes);
  const world = await openWorld(kubernetes);
  let teams = 0;
  /** Where the next story is told; undefined: in a new namespace. */
  let namespace: string | undefined;
  world.commit('owner/fleet', { 'root.yaml': yaml(configMap('root', 'default', { a: '1' })) });
  // The root objects and the definitions are there before anything is counted.
  const mortal = await live(world);
  await mortal.sweep();
  await mortal.drain();

  /**
   * Tells a story of a team in a namespace of its own. The stories follow each other in one namespace, since the engine starts a process for
   * each; after one that failed the next begins in a new one.
   */
  async function tell<T>(story: (team: string) => Promise<T>): Promise<T> {
    const team = namespace ?? `team-${++teams}`;
    if (namespace === undefined) await objects.namespace(team);
    namespace = undefined;
    const told = await story(team);
    await dropTeam(team);
    namespace = team;
    return told;
  }

  /** A repository and a Kustomization. */
  async function makeTeam(name: string): Promise<void> {
    await objects.create(
      'gitrepositories',
      gitRepository('app', name, world.url(`owner/${name}`), { interval: '30s' }),
    );
    await objects.create(
      'kustomizations',
      kustomization(
        'app',
        './app',
        {
          targetNamespace: name,
          sourceRef: { kind: 'GitRepository', name: 'app' },
          postBuild: { substitute: { team: name } },
        },
        name,
      ),
    );
  }

  /** Takes away what the next team's sweeps would have to look through. */
  async function dropTeam(name: string): Promise<void> {
    const base = (plural: string, group: string) => `/apis/${group}/v1/namespaces/${name}/${plural}`;
    for (const [plural, group] of [
      ['kustomizations', 'kustomize.toolkit.fluxcd.io'],
      ['gitrepositories', 'source.toolkit.fluxcd.io'],
    ] as const) {
      for (const { metadata } of (
        await kubeCall<{ items: ToolkitObject[] }>(kubernetes, 'GET', base(plural, group))
      ).items)
        await kubeCall(kubernetes, 'PATCH', `${base(plural, group)}/${metadata.name}`, {
          metadata: { finalizers: null },
        });
      await kubeCall(kubernetes, 'DELETE', base(plural, group));
    }
    await kubeCall(kubernetes, 'DELETE', `/api/v1/namespaces/${name}/configmaps`);
  }

  async function mapsOf(team: string): Promise<Map<string, { uid: string; value: string; owner: string }>> {
    const items = await objects.list<ToolkitObject & { data?: Record<string, string> }>('configmaps', team);
    return new Map(
      items.map(({ metadata, data }) => [
        metadata.name,
        {
          uid: metadata.uid ?? '',
          value: data?.value ?? '',
          owner: metadata.labels?.['kustomize.toolkit.fluxcd.io/name'] ?? '',
        },
      ]),
    );
  }

  /** What is not as it should be, in words; empty when all is right. */
  async function problemsOf(team: string, expected: Expected, mortal: Mortal): Promise<string[]> {
    const problems: string[] = [];
    const same = (what: string, found: unknown, wanted: unknown) => {
      if (JSON.stringify(found) !== JSON.stringify(wanted))
        problems.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
    };
    const maps = await mapsOf(team);
    same(
      'objects',
      Object.fromEntries([...maps].map(([name, { value }]) => [name, value]).sort()),
      expected.maps,
    );
    const inventories: string[] = [];
    for (const name of ['app', 'child'] as const) {
      const object = await objects.get('kustomizations', team, name);
      const wanted = expected[name];
      const key = `Kustomization/${team}/${name}`;
      const { applied, inputs, dueTimes } = mortal.ctx.index;
      if (!wanted) {
        same(`${name} exists`, object !== undefined, false);
        same(`${name} in the index`, [...(await applied.load(CLUSTER, key)).keys()], []);
        same(`${name} has inputs`, (await inputs.get(CLUSTER, key)) !== undefined, false);
        same(`${name} is due`, await dueTimes.get(CLUSTER, key), undefined);
        continue;
      }
      same(`${name} is ready`, isReadyAt(object, expected.commit) || conditionOf(object), true);
      const ids = inventoryOf(object).map((id) => id.replace(`${team}_`, '').replace(/_.*/, ''));
      same(`inventory of ${name}`, ids.sort(), wanted);
      inventories.push(...ids);
      same(`${name} is marked as half-written`, await applied.isDirty(CLUSTER, key), false);
      const known = [...(await applied.load(CLUSTER, key)).keys()].map((identity) =>
        identity.split('/').at(-1),
      );
      same(`${name} in the index`, known.sort(), wanted);
      const renders = [expected.commit, expected.same ?? expected.commit];
      const rendered = (await inputs.get(CLUSTER, key))?.revision ?? '';
      same(
        `inputs of ${name}`,
        renders.some((commit) => rendered.endsWith(commit)),
        true,
      );
    }
    for (const [name, { owner }] of maps)
      if (owner !== '' && !inventories.includes(name)) problems.push(`${name} is in no inventory`);
    const status = world.statuses.get(`${expected.commit} slipway/${CLUSTER}`);
    same('status', status?.state, 'success');
    const posted = world.posted.filter(({ commit }) => commit === expected.commit).map(({ state }) => state);
    same(
      'states posted',
      [...new Set(posted)].filter((state) => !['pending', 'success'].includes(state)),
      [],
    );
    same('dead letters', (await mortal.ctx.queues.cluster(CLUSTER).deadLetters(10)).length, 0);
    return problems;
  }

  /** Starts the process again and lets it run until everything is right. */
  async function recover(team: string, expected: Expected, story: string): Promise<void> {
    const mortal = await live(world);
    let problems: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await mortal.drain();
      problems = await problemsOf(team, expected, mortal);
      if (problems.length === 0) return;
      await mortal.sweep();
      world.advance(ROUND_MS);
    }
    throw new Error(`${story}: ${problems.join('; ')}`);
  }

  /** A process that may die in one piece of work; then it is started again, and nothing that was there may have been made anew. */
  async function act(
    team: string,
    expected: Expected,
    death: Place | undefined,
    work: (mortal: Mortal) => Promise<unknown>,
    name?: string,
  ): Promise<string[]> {
    const doom = new Doom(death);
    const mortal = await live(world, doom);
    await mortal.dies(async () => {
      await work(mortal);
      await mortal.drain();
    });
    if (death) await world.bury();
    const before = await mapsOf(team);
    const harm = death ? `${death.when} ${doom.writes[death.at - 1]} (${death.at})` : 'unharmed';
    const story = name ?? harm;
    await recover(team, expected, story);
    const after = await mapsOf(team);
    for (const [name, { uid }] of before)
      if (name in expected.maps && after.get(name)?.uid !== uid)
        throw new Error(`${story}: ${name} was made anew`);
    return doom.writes;
  }

  async function whole(team: string, deaths: readonly (Place | undefined)[]): Promise<string[][]> {
    const repository = `owner/${team}`;
    const first = world.commit(repository, FIRST);
    await makeTeam(team);
    const begun = await act(team, { ...APPLIED, commit: first }, deaths[0], (each) => each.sweep());
    const second = world.commit(repository, SECOND);
    const changed = await act(team, { ...UPDATED, commit: second }, deaths[1], (each) =>
      each.push(repository, second),
    );
    await objects.delete('kustomizations', team, 'app');
    const gone = await act(team, { maps: {}, commit: second }, deaths[2], (each) => each.sweep());
    return [begun, changed, gone];
  }

  async function reverted(team: string, death: Place | undefined): Promise<string[]> {
    const repository = `owner/${team}`;
    const first = world.commit(repository, FIRST);
    await makeTeam(team);
    await act(team, { ...APPLIED, commit: first }, undefined, (each) => each.sweep());
    const second = world.commit(repository, SECOND);
    const doom = new Doom(death);
    const killed = await live(world, doom);
    await killed.dies(async () => {
      await killed.push(repository, second);
      await killed.drain();
    });
    await world.bury();
    const third = world.commit(repository, FIRST);
    const name = death ? `${death.when} ${doom.writes[death.at - 1]} (${death.at}), reverted` : 'reverted';
    const expected = { ...APPLIED, commit: third, same: first };
    await act(team, expected, undefined, (each) => each.push(repository, third), name);
    const left = world.statuses.get(`${second} slipway/${CLUSTER}`)?.state;
    if (left === 'pending') throw new Error(`${name}: the commit that was reverted stays pending`);
    return doom.writes;
  }

  return {
    whole: (deaths) => tell((team) => whole(team, deaths)),
    reverted: (death) => tell((team) => reverted(team, death)),
    async close() {
      await world.close();
      await kubernetes.stop();
    },
  };
}
