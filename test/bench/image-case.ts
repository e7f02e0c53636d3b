import type { KubernetesObject } from '../../lib/core/object.ts';
import type { Sizes } from './cases.ts';
import { NAMESPACE } from './cases.ts';
import { kustomization, toYaml } from './manifests.ts';
import { type Figure, figure, percentile } from './report.ts';
import type { Stage } from './stage.ts';

const DEPLOYMENTS = { group: 'apps', version: 'v1', kind: 'Deployment' };

interface Deployment extends KubernetesObject {
  spec: { template: { spec: { containers: { image: string }[] } } };
}

/** From the push of an image to the registry, by way of a commit, to a Deployment with it; one after another, warm. */
export async function imagePushToApplied(stage: Stage, sizes: Sizes): Promise<Figure[]> {
  const image = `${stage.registry.host}/team/followed`;
  await stage.registry.push('team/followed', '1.0.0');
  const added = await stage.repository.commit({
    'apps/followed/app.yaml': manifest(`${image}:1.0.0`),
    'clusters/bench/followed.yaml': toYaml([kustomization('followed', './apps/followed'), ...follow(image)]),
    'clusters/bench/kustomization.yaml': 'resources: [large.yaml, warm.yaml, chain.yaml, followed.yaml]\n',
  });
  await stage.push(added);
  await stage.ready(['followed'], added);
  await untilRunning(stage, `${image}:1.0.0`);
  const first = await stage.repository.git(['rev-list', '--count', 'HEAD']);
  const times: number[] = [];
  // The first one is not counted: it waits for the policy to be known and loads what the others use.
  for (let push = 0; push <= sizes.images; push += 1) {
    const tag = `1.1.${push}`;
    const began = Date.now();
    await stage.registry.push('team/followed', tag);
    await untilRunning(stage, `${image}:${tag}`);
    if (push > 0) times.push(Date.now() - began);
  }
  const commits = Number(await stage.repository.git(['rev-list', '--count', 'HEAD'])) - Number(first);
  const wanted = sizes.images + 1;
  return [
    figure(
      'image-push-to-applied-p95',
      percentile(times, 0.95),
      'ms',
      5_000,
      'the bar',
      commits === wanted ? 1 : 0,
      [
        `median ${percentile(times, 0.5)} ms over ${times.length} pushes`,
        `${commits} commits for ${wanted} images`,
      ],
    ),
  ];
}

/** Resolves when the Deployment has the image. */
async function untilRunning(stage: Stage, image: string): Promise<void> {
  const stop = new AbortController();
  const options = { namespace: NAMESPACE, fieldSelector: 'metadata.name=followed', signal: stop.signal };
  const isThere = ({ spec }: Deployment) => spec.template.spec.containers[0]?.image === image;
  const timer = setTimeout(() => stop.abort(new Error(`${image} does not run after a minute`)), 60_000);
  try {
    for (;;) {
      const { items, resourceVersion } = await stage.client.list<Deployment>(DEPLOYMENTS, options);
      if (items.some(isThere)) return;
      for await (const { object } of stage.client.watch<Deployment>(DEPLOYMENTS, {
        ...options,
        resourceVersion,
      }))
        if (isThere(object)) return;
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function follow(image: string): KubernetesObject[] {
  const apiVersion = 'image.toolkit.fluxcd.io/v1';
  const metadata = { name: 'followed', namespace: 'flux-system' };
  return [
    { apiVersion, kind: 'ImageRepository', metadata, spec: { image, interval: '1h', insecure: true } },
    {
      apiVersion,
      kind: 'ImagePolicy',
      metadata,
      spec: { imageRepositoryRef: { name: 'followed' }, policy: { semver: { range: '1.x' } } },
    },
    {
      apiVersion,
      kind: 'ImageUpdateAutomation',
      metadata,
      spec: {
        interval: '1h',
        sourceRef: { kind: 'GitRepository', name: 'flux-system' },
        git: { commit: { author: { name: 'bench', email: 'bench@example.test' } } },
        update: { path: './apps/followed', strategy: 'Setters' },
      },
    },
  ];
}

function manifest(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: followed
  namespace: ${NAMESPACE}
spec:
  replicas: 0
  selector:
    matchLabels: { app: followed }
  template:
    metadata:
      labels: { app: followed }
    spec:
      containers:
        - name: followed
          image: ${image} # {"$imagepolicy": "flux-system:followed"}
`;
}
