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
  /**
   * One update to a newer version. All stories follow each other in one repository, since a new one for each would take most of their
   * time; after one that failed the next begins in a new one.
   * @returns the writes of the process that may die, up to the last that belongs to the update
   */
  update(death: (Death & { at: number }) | undefined, meanwhile?: Meanwhile): Promise<string[]>;
  close(): Promise<void>;
}

/** Where the stories happen. */
interface Team {
  namespace: string;
  repository: TestRepository;
  /** The commit and the version that the next story begins with. */
  head: string;
  tag: string;
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
  let team: Team | undefined;
  let minor = 0;

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

  async function makeTeam(): Promise<Team> {
    const namespace = `images-${repositories.length + 1}`;
    const tag = '1.0.0';
    const repository = await createTestRepository();
    repositories.push(repository);
    await repository.git(['config', 'http.receivepack', 'true']);
    await repository.git(['config', 'receive.denyCurrentBranch', 'updateInstead']);
    const head = await repository.commit({ 'web.yaml': manifest(namespace, tag) });
    server.add(namespace, join(repository.directory, '.git'));
    await objects.namespace(namespace);
    await objects.create('gitrepositories', gitRepository('app', namespace, `${server.url}/${namespace}`));
    await objects.create('imagepolicies', {
      apiVersion: `${GROUP}/v1`,
      kind: 'ImagePolicy',
      metadata: { name: 'web', namespace },
      spec: { imageRepositoryRef: { name: 'web' }, suspend: true, policy: { semver: { range: '1.x' } } },
    });
    await choose(namespace, tag);
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
    const first = await start();
    await first.sweep();
    const made = { namespace, repository, head, tag };
    await until(first, made, tag);
    return made;
  }

  async function send(mortal: Mortal, namespace: string): Promise<void> {
    const ref = { group: GROUP, kind: 'ImageUpdateAutomation', namespace, name: 'images' };
    await enqueue(mortal.ctx, [{ job: reconcileJob(mortal.ctx, CLUSTER, ref, 'source') }]);
  }

  const current = (repository: TestRepository) => repository.git(['show', 'main:web.yaml']);

  /** Lets the process run until a tag stands in the file and the automation has seen an image. */
  async function until(mortal: Mortal, { repository, namespace }: Team, tag: string, seen = tag) {
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

  /** The tags that the branch has had since the story began, from the oldest, each after who wrote it; and its head. */
  async function historyOf({ repository, head }: Team): Promise<{ tags: string[]; head: string }> {
    const log = await repository.git([
      'log',
      '--reverse',
      '--patch',
      '--unified=0',
      '--format=commit %H %an',
      `${head}..main`,
    ]);
    const commits = log.split(/^commit /m).slice(1);
    const author = (commit: string) => /^\S+ (.*)$/m.exec(commit)?.[1];
    const tag = (commit: string) => /^\+image: acme\/web:(\S+)/m.exec(commit)?.[1] ?? 'nothing';
    return {
      tags: commits.map((commit) => `${author(commit)} ${tag(commit)}`),
      head: commits.at(-1)?.split(' ')[0] ?? head,
    };
  }

  async function update(
    death: (Death & { at: number }) | undefined,
    meanwhile: Meanwhile = 'nothing',
  ): Promise<string[]> {
    const here = team ?? (await makeTeam());
    team = undefined;
    const { namespace } = here;
    const story = `${death ? `${death.when} write ${death.at}` : 'unharmed'}, ${meanwhile}`;
    const doom = new Doom(death);
    minor += 2;
    try {
      await choose(namespace, `1.${minor}.0`);
      const mortal = await start(doom);
      await mortal.dies(async () => {
        await send(mortal, namespace);
        await mortal.drain();
      });
      if (death && !doom.dead)
        throw new Error(`there were ${doom.writes.length} writes, and it has not died`);
      if (death) await world.bury();
      team = await goOn(here, meanwhile);
    } catch (error) {
      throw new Error(`${story} (${doom.writes.at(-1)}): ${(error as Error).message}`);
    }
    return doom.writes.slice(0, doom.writes.indexOf('acknowledge cluster') + 1);
  }

  /**
   * The next process; whatever happened, each image is committed once and none twice, and what a person takes back stays away.
   * @returns where the next story goes on
   */
  async function goOn(here: Team, meanwhile: Meanwhile): Promise<Team> {
    const { namespace, repository, tag: old } = here;
    const [newer, newest] = [`1.${minor}.0`, `1.${minor + 1}.0`];
    const wasPushed = (await current(repository)).includes(`:${newer} `);
    const expected = wasPushed || meanwhile !== 'newer' ? [`bot ${newer}`] : [];
    const takeBack = async () => {
      await repository.commit({ 'web.yaml': manifest(namespace, old) });
      expected.push(`Ada ${old}`);
    };
    const mortal = await start();
    if (meanwhile === 'revert' && wasPushed) {
      await takeBack();
      await until(mortal, here, old, newer);
    } else if (meanwhile === 'newer') {
      await choose(namespace, newest);
      expected.push(`bot ${newest}`);
      await until(mortal, here, newest);
    } else {
      await until(mortal, here, newer);
      await takeBack();
    }
    world.advance(INTERVAL_MS);
    await mortal.sweep();
    await mortal.drain();
    const { tags, head } = await historyOf(here);
    if (JSON.stringify(tags) !== JSON.stringify(expected))
      throw new Error(`the branch has had ${tags.join(', ')}, not ${expected.join(', ')}`);
    const dead = await mortal.ctx.queues.cluster(CLUSTER).deadLetters(10);
    if (dead.length > 0) throw new Error(`dead letters: ${JSON.stringify(dead)}`);
    return { ...here, head, tag: tags.at(-1)?.split(' ')[1] ?? old };
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
