import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../lib/pipeline/context.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { type Gitea, startGitea } from '../support/gitea.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf, isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { type Slipway, startSlipway, WEBHOOK_SECRET } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CLUSTER = 'production';

/** Stops the pipeline at a place, once, until the test lets it go on. */
class Barrier {
  readonly #reached = Promise.withResolvers<void>();
  readonly #open = Promise.withResolvers<void>();
  /** Waits until the pipeline has come here. */
  reached(): Promise<void> {
    return this.#reached.promise;
  }
  open(): void {
    this.#open.resolve();
  }
  async pass(): Promise<void> {
    this.#reached.resolve();
    await this.#open.promise;
  }
}

describe('while the Git provider is away', () => {
  let gitea: Gitea;
  let kubernetes: Kubernetes;
  let objects: Objects;
  let repository: GiteaRepository;
  let slipway: Slipway;
  let removeDirectory: (() => Promise<void>) | undefined;
  let beforeResolve: Barrier | undefined;
  let beforeApply: Barrier | undefined;

  /** A context that stops at the barriers. */
  function stopping(ctx: Context): Context {
    const source = ctx.sources.GitRepository;
    if (!source) throw new Error('there is no Git source');
    const { applied } = ctx.index;
    const begin = applied.begin.bind(applied);
    applied.begin = async (cluster, owner) => {
      await beforeApply?.pass();
      return begin(cluster, owner);
    };
    // A commit that was announced is fetched while its ref is resolved.
    const resolve: typeof source.resolve = async (object, inputs) => {
      await beforeResolve?.pass();
      return source.resolve(object, inputs);
    };
    return { ...ctx, sources: { ...ctx.sources, GitRepository: { ...source, resolve } } };
  }

  beforeAll(async () => {
    const directory = await temporaryDirectory();
    removeDirectory = directory.remove;
    [gitea, kubernetes] = await Promise.all([startGitea(), startKubernetes({ name: CLUSTER })]);
    objects = objectsOf(kubernetes);
    repository = await gitea.createRepository('fleet', { files: { [path('first')]: map('first', '1') } });
    slipway = await startSlipway({
      directory: directory.path,
      clusters: { [CLUSTER]: { kubeconfig: kubernetes.kubeconfig } },
      repository: repository.url,
      gitea,
      wrap: stopping,
    });
    await repository.createWebhook(`${slipway.url}/webhooks/gitea`, WEBHOOK_SECRET);
  });
  beforeEach(async () => {
    beforeResolve = undefined;
    beforeApply = undefined;
    await shows(await repository.head(), 'success');
  });
  afterAll(async () => {
    beforeResolve?.open();
    beforeApply?.open();
    await slipway?.stop();
    await kubernetes?.stop();
    await gitea?.stop();
    await removeDirectory?.();
  });

  const path = (name: string) => `clusters/${CLUSTER}/${name}.yaml`;
  const map = (name: string, value: string) => yaml(configMap(name, 'default', { value }));
  const dataOf = async (name: string) =>
    (await objects.get<{ data: { value: string } }>('configmaps', 'default', name))?.data.value;
  const uidOf = async (name: string) => (await objects.get('configmaps', 'default', name))?.metadata.uid;
  const source = () => objects.get('gitrepositories', 'flux-system', 'flux-system');
  const root = () => objects.get('kustomizations', 'flux-system', 'flux-system');

  async function shows(commit: string, state: string): Promise<void> {
    await eventually(
      `the status of ${commit} is ${state}`,
      async () => {
        const statuses = await repository.statuses(commit);
        return statuses.find(({ context }) => context === `slipway/${CLUSTER}`)?.status === state;
      },
      {
        explain: async () =>
          `${JSON.stringify(await repository.statusHistory(commit))}\n${slipway.log.slice(-20).join('\n')}`,
      },
    );
  }

  test('a push that it has announced is not lost: it is deployed and told of when the provider is back, and nothing goes meanwhile', async () => {
    const before = await uidOf('first');
    beforeResolve = new Barrier();
    const commit = await repository.commit({
      [path('first')]: map('first', '2'),
      [path('second')]: map('second', '1'),
    });
    await beforeResolve.reached();
    await gitea.goAway();
    beforeResolve.open();
    const failing = await eventually('the source says so', async () => {
      const ready = conditionOf(await source());
      return ready?.status === 'False' && ready;
    });
    expect(failing.reason).toBe('GitOperationFailed');
    expect(await dataOf('first')).toBe('1');
    expect(conditionOf(await root())).toMatchObject({ status: 'True' });
    await gitea.comeBack();
    await eventually('it is deployed', async () => isReadyAt(await root(), commit));
    expect([await dataOf('first'), await dataOf('second')]).toEqual(['2', '1']);
    expect(await uidOf('first')).toBe(before);
    await shows(commit, 'success');
  });

  test('what has been fetched is deployed without it, and the statuses arrive when it is back', async () => {
    beforeApply = new Barrier();
    const commit = await repository.commit({ [path('first')]: map('first', '3') });
    await beforeApply.reached();
    await gitea.goAway();
    beforeApply.open();
    await eventually('it is deployed', async () => isReadyAt(await root(), commit));
    expect(await dataOf('first')).toBe('3');
    await eventually('its status waits', () =>
      slipway.log.some((line) => line.includes('could not be sent yet') && line.includes(commit)),
    );
    await gitea.comeBack();
    await shows(commit, 'success');
    const states = (await repository.statusHistory(commit)).map(({ status }) => status);
    expect(states.filter((state) => state === 'success')).toHaveLength(1);
    expect(states).not.toContain('failure');
  });

  test('a push made when nobody could tell of it is found once the provider is back', async () => {
    const [hook] = await gitea.api<{ id: number }[]>(
      'GET',
      `/repos/${repository.owner}/${repository.name}/hooks`,
    );
    const hooks = `/repos/${repository.owner}/${repository.name}/hooks/${hook?.id}`;
    await gitea.api('PATCH', hooks, { active: false });
    await objects.patch('gitrepositories', 'flux-system', 'flux-system', { spec: { interval: '5s' } });
    await gitea.goAway();
    await eventually('the source says so', async () => conditionOf(await source())?.status === 'False');
    await gitea.comeBack();
    const commit = await repository.commit({ [path('first')]: map('first', '4') });
    await eventually('it is deployed', async () => isReadyAt(await root(), commit));
    expect(await dataOf('first')).toBe('4');
    await shows(commit, 'success');
  });
});
