/**
 * Stories of a process that dies at one of its writes while it writes a newer image into a repository, and is started again. Git is real
 * here, and a push to it is one of the writes.
 */
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { enqueue, reconcileJob } from '../../lib/pipeline/enqueue.ts';
import { createGitAccess } from '../../lib/source/git-access.ts';
import { createSources } from '../../lib/source/registry.ts';
import { type Death, Doom, doomedSource } from './doom.ts';
import { configMap, gitRepository, yaml } from './fleet-repository.ts';
import { createTestRepository, type TestRepository } from './git-repository-builder.ts';
import { startGitServer } from './git-server.ts';
import type { Automation } from './image-automation.ts';
import { conditionOf, objectsOf } from './kube-objects.ts';
import { startKubernetes } from './kubernetes.ts';
import { CLUSTER, live, type Mortal, type Outside, openWorld } from './mortal.ts';

/** What happens while the process is dead: nothing; the commit is taken back, if there is one; an even newer image is chosen. */
export type Meanwhile = 'nothing' | 'revert' | 'newer';

export interface ImageCrashStories {
  /** One update from 1.0.0 to 1.1.0. @returns the writes of the process that may die */
  update(death: (Death & { at: number }) | undefined, meanwhile?: Meanwhile): Promise<string[]>;
  close(): Promise<void>;
}

const GROUP = 'image.toolkit.fluxcd.io';
/** So much time may pass, and no more, until everything is right again. */
const ROUNDS = 6;
const ROUND_MS = 20_000;
/** Longer than the interval of the automation, in ms. */
const INTERVAL_MS = 31 * 60_000;

const manifest = (namespace: string, tag: string) =>
  `kind: ConfigMap\nimage: acme/web:${tag} # {"$imagepolicy": "${namespace}:web"}\n`;

/** Opens the stories on a control plane of their own. */
export async function openImageCrashStories(): Promise<ImageCrashStories> {
  const [kubernetes, server] = await Promise.all([startKubernetes(), startGitServer()]);
  const objects = objectsOf(kubernetes);
  const world = await openWorld(kubernetes);
  world.commit('owner/fleet', { 'root.yaml': yaml(configMap('root', 'default', { a: '1' })) });
  const repositories: TestRepository[] = [];
  let count = 0;

  /** Git as this life has it: each call goes through its doom, and a push is a write. */
  function outside(doom: Doom): Outside {
    const limits = { maxFiles: 1_000, maxBytes: 10_000_000, maxRepositoryBytes: 100_000_000 };
    const git = {
      temporaryDirectory: world.directory,
      now: Date.now,
      limits,
      run: ((command, args, options) =>
        args?.includes('push')
          ? doom.write('git push', () => run(command, args, options))
          : doom.read(() => run(command, args, options))) as typeof run,
    };
    const access = createGitAccess(git);
    const real = createSources({ git, access }).GitRepository;
    const unsigned = () => Promise.reject(new Error('nothing is signed here'));
    if (!real) throw new Error('there is no source of kind GitRepository');
    return {
      git: { access, signWithSsh: unsigned, signWithPgp: unsigned },
      sources: { GitRepository: doomedSource(doom, real) },
    };
  }

  const start = (doom = new Doom()): Promise<Mortal> => live(world, doom, outside(doom));

  async function choose(namespace: string, tag: string): Promise<void> {
    const latestRef = { name: 'acme/web', tag };
    await objects.patch('imagepolicies', namespace, 'web', { status: { latestRef } }, 'status');
  }

  async function makeTeam(namespace: string): Promise<TestRepository> {
    const repository = await createTestRepository();
    repositories.push(repository);
    await repository.git(['config', 'http.receivepack', 'true']);
    await repository.git(['config', 'receive.denyCurrentBranch', 'updateInstead']);
    await repository.commit({ 'web.yaml': manifest(namespace, '1.0.0') });
    server.add(namespace, join(repository.directory, '.git'));
    await objects.namespace(namespace);
    await objects.create('gitrepositories', gitRepository('app', namespace, `${server.url}/${namespace}`));
    await objects.create('imagepolicies', {
      apiVersion: `${GROUP}/v1`,
      kind: 'ImagePolicy',
      metadata: { name: 'web', namespace },
      spec: { imageRepositoryRef: { name: 'web' }, suspend: true, policy: { semver: { range: '1.x' } } },
    });
    await choose(namespace, '1.0.0');
    await objects.create('imageupdateautomations', {
      apiVersion: `${GROUP}/v1`,
      kind: 'ImageUpdateAutomation',
      metadata: { name: 'images', namespace },
      spec: {
        interval: '30m',
        sourceRef: { kind: 'GitRepository', name: 'app' },
        git: { commit: { author: { name: 'bot', email: 'bot@example.test' } } },
      },
    });
    return repository;
  }

  async function send(mortal: Mortal, namespace: string): Promise<void> {
    const ref = { group: GROUP, kind: 'ImageUpdateAutomation', namespace, name: 'images' };
    await enqueue(mortal.ctx, [{ job: reconcileJob(mortal.ctx, CLUSTER, ref, 'source') }]);
  }

  const current = (repository: TestRepository) => repository.git(['show', 'main:web.yaml']);

  /** Lets the process run until a tag stands in the file and the automation has seen an image. */
  async function until(
    mortal: Mortal,
    repository: TestRepository,
    namespace: string,
    tag: string,
    seen = tag,
  ) {
    let state = '';
    for (let round = 0; round < ROUNDS; round += 1) {
      await mortal.drain();
      const found = await objects.get<Automation>('imageupdateautomations', namespace, 'images');
      const text = `${await current(repository)}\n`;
      const isRight =
        text === manifest(namespace, tag) &&
        conditionOf(found)?.status === 'True' &&
        found?.status?.observedPolicies?.web?.tag === seen;
      if (isRight) return;
      state = `${text} ${JSON.stringify(found?.status)}`;
      await mortal.sweep();
      world.advance(ROUND_MS);
    }
    throw new Error(`${tag} does not stand in the repository, or the automation is not ready: ${state}`);
  }

  /** The tags that the branch has had, from the oldest; and who wrote them. */
  async function historyOf(repository: TestRepository): Promise<string[]> {
    const log = await repository.git(['log', '--reverse', '--format=%H %an', 'main']);
    const entries = log.split('\n').map(async (line) => {
      const [commit = '', author = ''] = line.split(' ');
      const tag = /acme\/web:(\S+)/.exec(await repository.git(['show', `${commit}:web.yaml`]))?.[1];
      return `${author} ${tag}`;
    });
    return Promise.all(entries);
  }

  async function update(
    death: (Death & { at: number }) | undefined,
    meanwhile: Meanwhile = 'nothing',
  ): Promise<string[]> {
    count += 1;
    const namespace = `images-${count}`;
    const repository = await makeTeam(namespace);
    const first = await start();
    await first.sweep();
    await until(first, repository, namespace, '1.0.0');

    await choose(namespace, '1.1.0');
    const doom = new Doom(death);
    const mortal = await start(doom);
    await mortal.dies(async () => {
      await send(mortal, namespace);
      await mortal.drain();
    });
    if (death) await world.bury();
    const story = death
      ? `${death.when} ${doom.writes[death.at - 1]} (${death.at}), ${meanwhile}`
      : meanwhile;
    try {
      await goOn(repository, namespace, meanwhile);
    } catch (error) {
      throw new Error(`${story}: ${(error as Error).message}`);
    } finally {
      for (const plural of ['imageupdateautomations', 'imagepolicies', 'gitrepositories'] as const) {
        const name = { imageupdateautomations: 'images', imagepolicies: 'web', gitrepositories: 'app' }[
          plural
        ];
        await objects.patch(plural, namespace, name, { metadata: { finalizers: null } });
        await objects.delete(plural, namespace, name);
      }
    }
    return doom.writes;
  }

  /** The next process; whatever happened, each image is committed once and none twice, and what a person takes back stays away. */
  async function goOn(repository: TestRepository, namespace: string, meanwhile: Meanwhile): Promise<void> {
    const wasPushed = (await current(repository)).includes('1.1.0');
    const expected = ['Ada 1.0.0', ...(wasPushed || meanwhile !== 'newer' ? ['bot 1.1.0'] : [])];
    const mortal = await start();
    if (meanwhile === 'revert' && wasPushed) {
      await repository.commit({ 'web.yaml': manifest(namespace, '1.0.0') });
      expected.push('Ada 1.0.0');
      await until(mortal, repository, namespace, '1.0.0', '1.1.0');
    } else if (meanwhile === 'newer') {
      await choose(namespace, '1.2.0');
      expected.push('bot 1.2.0');
      await until(mortal, repository, namespace, '1.2.0');
    } else {
      await until(mortal, repository, namespace, '1.1.0');
      await repository.commit({ 'web.yaml': manifest(namespace, '1.0.0') });
      expected.push('Ada 1.0.0');
    }
    world.advance(INTERVAL_MS);
    await mortal.sweep();
    await mortal.drain();
    const history = await historyOf(repository);
    if (JSON.stringify(history) !== JSON.stringify(expected))
      throw new Error(`the branch has had ${history.join(', ')}, not ${expected.join(', ')}`);
    const dead = await mortal.ctx.queues.cluster(CLUSTER).deadLetters(10);
    if (dead.length > 0) throw new Error(`dead letters: ${JSON.stringify(dead)}`);
  }

  const mortal = await start();
  await mortal.sweep();
  return {
    update,
    async close() {
      await world.close();
      await Promise.allSettled([server.close(), kubernetes.stop()]);
      for (const repository of repositories) repository.remove();
    },
  };
}
