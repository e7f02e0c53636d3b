import { enqueue, reconcileJob } from '../../lib/pipeline/enqueue.ts';
import type { ImageRef } from '../../lib/toolkit/image-ref.ts';
import { eventually } from './eventually.ts';
import { gitRepository } from './fleet-repository.ts';
import type { GiteaFiles, GiteaRepository } from './gitea-repository.ts';
import { conditionOf, type ToolkitObject } from './kube-objects.ts';
import { CLUSTER, type Stage } from './stage.ts';

/** An ImageUpdateAutomation as tests read it. */
export type Automation = ToolkitObject & {
  status?: NonNullable<ToolkitObject['status']> & {
    lastPushCommit?: string;
    lastPushTime?: string;
    lastAutomationRunTime?: string;
    observedSourceRevision?: string;
    observedPolicies?: Record<string, ImageRef>;
  };
};

/** A namespace with a repository, its credentials, and an automation `images` over it. */
export interface ImageTeam {
  name: string;
  repository: GiteaRepository;
  /** Makes a policy (or changes what it has chosen), as its own run would. Nobody reconciles it: it is suspended. */
  choose(policy: string, image: ImageRef, spec?: Record<string, unknown>): Promise<void>;
  /** Tells the automation that a policy has chosen, as the policy's run does. */
  send(): Promise<void>;
  /** Makes the automation. */
  automate(spec?: Record<string, unknown>, annotations?: Record<string, string>): Promise<void>;
  automation(): Promise<Automation | undefined>;
  /** Waits until it is ready with these images seen. */
  seen(images: Record<string, string>): Promise<Automation>;
  /** Waits until it has failed for a reason, with a message. */
  failed(reason: string, message: RegExp): Promise<void>;
  /** Asks for a run, and waits until it is over. */
  ask(annotations?: Record<string, string>): Promise<Automation>;
  /** A file of a branch (default `main`). */
  read(path: string, branch?: string): Promise<string>;
}

const SEMVER = { policy: { semver: { range: '>=0.0.0-0' } } };

/** Makes one. */
export async function imageTeam(
  stage: Stage,
  files: GiteaFiles,
  source: Record<string, unknown> = {},
): Promise<ImageTeam> {
  const { objects, gitea } = stage;
  const name = stage.unique('images');
  const repository = await gitea.createRepository(name, { files });
  await objects.namespace(name);
  await eventually('the Toolkit is installed', async () => (await objects.list('imagepolicies')).length >= 0);
  await objects.create('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'git', namespace: name },
    stringData: { username: gitea.admin.user, password: gitea.admin.token },
  });
  await objects.create(
    'gitrepositories',
    gitRepository('app', name, repository.url, { secretRef: { name: 'git' }, ...source }),
  );
  const automation = () => objects.get<Automation>('imageupdateautomations', name, 'images');
  const explain = async () => JSON.stringify((await automation())?.status, null, 1);
  let asked = 0;
  return {
    name,
    repository,
    async choose(policy, image, spec = {}) {
      const known = await objects.get('imagepolicies', name, policy);
      if (!known) {
        await objects.create('imagepolicies', {
          apiVersion: 'image.toolkit.fluxcd.io/v1',
          kind: 'ImagePolicy',
          metadata: { name: policy, namespace: name, labels: { app: policy } },
          spec: { imageRepositoryRef: { name: policy }, suspend: true, ...SEMVER, ...spec },
        });
      }
      await objects.patch('imagepolicies', name, policy, { status: { latestRef: image } }, 'status');
    },
    async send() {
      const ref = {
        group: 'image.toolkit.fluxcd.io',
        kind: 'ImageUpdateAutomation',
        namespace: name,
        name: 'images',
      };
      const { ctx } = stage.slipway;
      await enqueue(ctx, [{ job: reconcileJob(ctx, CLUSTER, ref, 'source') }]);
    },
    async automate(spec = {}, annotations = {}) {
      await objects.create('imageupdateautomations', {
        apiVersion: 'image.toolkit.fluxcd.io/v1',
        kind: 'ImageUpdateAutomation',
        metadata: { name: 'images', namespace: name, annotations },
        spec: {
          interval: '30m',
          sourceRef: { kind: 'GitRepository', name: 'app' },
          git: { commit: { author: { name: 'bot', email: 'bot@example.com' } } },
          ...spec,
        },
      });
    },
    automation,
    seen: (images) =>
      eventually(
        `images ${JSON.stringify(images)} are seen`,
        async () => {
          const found = await automation();
          const tags = Object.entries(found?.status?.observedPolicies ?? {}).map(([policy, { tag }]) => [
            policy,
            tag,
          ]);
          const all = Object.entries(images).every(([policy, tag]) =>
            tags.some(([known, seen]) => known === policy && seen === tag),
          );
          return all && conditionOf(found)?.status === 'True' && found;
        },
        { explain },
      ),
    async failed(reason, message) {
      await eventually(
        `the automation fails: ${reason} ${message}`,
        async () => {
          const ready = conditionOf(await automation());
          return ready?.status === 'False' && ready.reason === reason && message.test(ready.message);
        },
        { explain },
      );
    },
    async ask(annotations = {}) {
      asked += 1;
      const value = `${name} ${asked}`;
      await objects.patch('imageupdateautomations', name, 'images', {
        metadata: {
          annotations: {
            'reconcile.fluxcd.io/requestedAt': value,
            ...Object.fromEntries(Object.keys(annotations).map((key) => [key, value])),
          },
        },
      });
      return eventually(
        'the request is handled',
        async () => {
          const found = await automation();
          return found?.status?.lastHandledReconcileAt === value && found;
        },
        { explain },
      );
    },
    read: (path, branch = 'main') => repository.read(path, branch),
  };
}
