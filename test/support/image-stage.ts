/**
 * A stage with a container registry, and namespaces that follow images in it.
 *
 *     const images = await startImageStage();
 *     const team = await images.team();
 *     await images.registry.push(`${team.name}/app`, 'v1.0.0');
 *     await team.repository({ image: 'app' });
 *     await team.policy({ policy: { semver: { range: '1.x' } } });
 *     await team.latest('v1.0.0');
 *     await images.stop();
 */
import type { Condition } from '../../lib/core/conditions.ts';
import { enqueue, reconcileJob } from '../../lib/pipeline/enqueue.ts';
import type { ImagePolicy } from '../../lib/toolkit/image-policy.ts';
import type { ImageRepository } from '../../lib/toolkit/image-repository.ts';
import { eventually } from './eventually.ts';
import { conditionOf, type ToolkitObject } from './kube-objects.ts';
import { freePort } from './ports.ts';
import { type Registry, startRegistry } from './registry.ts';
import { WEBHOOK_SECRET } from './slipway.ts';
import { CLUSTER, type Stage, startStage } from './stage.ts';

type Repository = ToolkitObject & Pick<ImageRepository, 'status'>;
type Policy = ToolkitObject & Pick<ImagePolicy, 'status'>;

/** A namespace with images. Objects are called `app` where no name is given. */
export interface ImageTeam {
  /** Its namespace, and the first part of its images. */
  name: string;
  /** Creates an ImageRepository; `image` is the last part of the name. It has the Secret `registry`, which opens the registry. */
  repository(spec?: Record<string, unknown>, name?: string): Promise<void>;
  policy(spec: Record<string, unknown>, name?: string): Promise<void>;
  getRepository(name?: string): Promise<Repository | undefined>;
  getPolicy(name?: string): Promise<Policy | undefined>;
  /** Waits until an ImageRepository is ready with so many tags. */
  scanned(tagCount: number, name?: string): Promise<Repository>;
  /** Waits until a policy is ready and has chosen a tag. */
  latest(tag: string, name?: string): Promise<Policy>;
  /** Waits until an object is not ready for a reason. @returns its condition */
  failed(
    plural: 'imagerepositories' | 'imagepolicies',
    reason: string,
    name?: string,
  ): Promise<Condition & { object: ToolkitObject }>;
  /** What a registry's webhook brings about: a run for one tag. */
  hint(tag: string, name?: string): Promise<void>;
  /** Asks for a run as `flux reconcile` does, and waits until it was handled. */
  request(plural: 'imagerepositories' | 'imagepolicies', name?: string): Promise<void>;
}

export interface ImageStage {
  stage: Stage;
  registry: Registry;
  team(): Promise<ImageTeam>;
  stop(): Promise<void>;
}

/** The path of the webhook that the registry of a stage sends to. */
export const REGISTRY_WEBHOOK = '/webhooks/registry/distribution';

/** @param options.webhook the registry tells Slipway of pushes, with {@link WEBHOOK_SECRET} */
export async function startImageStage(
  options: { webhook?: boolean; stage?: Parameters<typeof startStage>[0] } = {},
): Promise<ImageStage> {
  const port = await freePort();
  const user = { name: 'user', password: 'the-password-of-the-registry' };
  const host = `127.0.0.1:${port}`;
  const named = { name: 'own', type: 'distribution', host, webhookSecrets: ['file:webhook-secret'] };
  const stage = await startStage({
    ...(options.webhook ? { more: { registries: [named] } } : {}),
    ...options.stage,
  });
  const url = `${stage.slipway.url}${REGISTRY_WEBHOOK}`;
  const notify = [{ url, headers: { Authorization: `Bearer ${WEBHOOK_SECRET}` } }];
  const registry = await startRegistry({ user, port, ...(options.webhook ? { notify } : {}) });
  await eventually('the Toolkit is installed', async () => {
    await stage.objects.list('imagepolicies');
    return true;
  });
  return {
    stage,
    registry,
    async team() {
      const name = stage.unique('images');
      await stage.objects.namespace(name);
      await stage.objects.create('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'registry', namespace: name },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': registry.dockerConfig() },
      });
      return teamOf(stage, registry, name);
    },
    async stop() {
      await stage.stop();
      await registry.stop();
    },
  };
}

function teamOf({ objects, slipway }: Stage, registry: Registry, namespace: string): ImageTeam {
  const GROUP = 'image.toolkit.fluxcd.io';
  const create = (plural: 'imagerepositories' | 'imagepolicies', kind: string, name: string, spec: unknown) =>
    objects.create(plural, { apiVersion: `${GROUP}/v1`, kind, metadata: { name, namespace }, spec });
  const explain = async () =>
    [
      ...(await objects.list('imagerepositories', namespace)),
      ...(await objects.list('imagepolicies', namespace)),
    ]
      .map((item) => `${item.metadata.name} ${JSON.stringify(item.status)}`)
      .join('\n');
  const team: ImageTeam = {
    name: namespace,
    async repository({ image = 'app', ...spec } = {}, name = 'app') {
      const full = `${registry.host}/${namespace}/${String(image)}`;
      const secretRef = { name: 'registry' };
      await create('imagerepositories', 'ImageRepository', name, {
        image: full,
        interval: '1h',
        insecure: true,
        secretRef,
        ...spec,
      });
    },
    async policy(spec, name = 'app') {
      await create('imagepolicies', 'ImagePolicy', name, { imageRepositoryRef: { name: 'app' }, ...spec });
    },
    getRepository: (name = 'app') => objects.get<Repository>('imagerepositories', namespace, name),
    getPolicy: (name = 'app') => objects.get<Policy>('imagepolicies', namespace, name),
    scanned: (tagCount, name = 'app') =>
      eventually(
        `${name} has ${tagCount} tags`,
        async () => {
          const found = await team.getRepository(name);
          const isReady = conditionOf(found)?.status === 'True';
          return isReady && found?.status?.lastScanResult?.tagCount === tagCount && found;
        },
        { explain },
      ),
    latest: (tag, name = 'app') =>
      eventually(
        `${name} has chosen ${tag}`,
        async () => {
          const found = await team.getPolicy(name);
          return conditionOf(found)?.status === 'True' && found?.status?.latestRef?.tag === tag && found;
        },
        { explain },
      ),
    failed: (plural, reason, name = 'app') =>
      eventually(
        `${name} fails with ${reason}`,
        async () => {
          const object = await objects.get(plural, namespace, name);
          const ready = conditionOf(object);
          return ready?.status === 'False' && ready.reason === reason && object && { ...ready, object };
        },
        { explain },
      ),
    async hint(tag, name = 'app') {
      const ref = { group: GROUP, kind: 'ImageRepository', namespace, name };
      await enqueue(slipway.ctx, [{ job: reconcileJob(slipway.ctx, CLUSTER, ref, 'push', { tag }) }]);
    },
    async request(plural, name = 'app') {
      const requestedAt = `${Date.now()}-${Math.random()}`;
      const annotations = { 'reconcile.fluxcd.io/requestedAt': requestedAt };
      await objects.patch(plural, namespace, name, { metadata: { annotations } });
      await eventually('the request is handled', async () => {
        const found = await objects.get(plural, namespace, name);
        return found?.status?.lastHandledReconcileAt === requestedAt;
      });
    },
  };
  return team;
}
