import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { gitRepository, kustomization } from '../support/fleet-repository.ts';
import type { Automation } from '../support/image-automation.ts';
import { type ImageStage, startImageStage } from '../support/image-stage.ts';
import { conditionOf, type ToolkitObject } from '../support/kube-objects.ts';
import { WEBHOOK_SECRET } from '../support/slipway.ts';
import { STATUS } from '../support/stage.ts';

/** Objects look for themselves once an hour: what comes sooner was brought by a webhook. */
let images: ImageStage;
beforeAll(async () => {
  images = await startImageStage({ webhook: true });
});
afterAll(() => images?.stop());

const namespace = 'flux-system';
const repositoryName = 'e2e/shop';

describe('from a push to the registry to the cluster', () => {
  test('the image is committed, by its changed bytes alone, runs, and the commit says so', async () => {
    const { stage, registry } = images;
    const { objects, root } = stage;
    await root.createWebhook(`${stage.slipway.url}/webhooks/gitea`, WEBHOOK_SECRET);
    const image = `${registry.host}/${repositoryName}`;
    await registry.push(repositoryName, '1.0.0');
    await objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'registry', namespace },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': registry.dockerConfig() },
    });
    const before = manifest(`${image}:1.0.0`);
    await root.commit({
      'apps/shop/shop.yaml': before,
      'apps/other.txt': `${image}:1.0.0\n`,
      'clusters/production/shop.yaml': JSON.stringify(kustomization('shop', './apps/shop')),
    });
    for (const object of follow(image)) await objects.create(pluralOf(object.kind), object);
    const running = async () => (await objects.get<Deployment>('deployments', 'default', 'shop'))?.spec;
    const runs = (tag: string) => async () =>
      (await running())?.template.spec.containers[0]?.image === `${image}:${tag}`;
    await eventually('the first image runs', runs('1.0.0'));
    await eventually('the automation has seen it', async () => {
      const found = await objects.get<Automation>('imageupdateautomations', namespace, 'shop');
      return conditionOf(found)?.status === 'True' && found?.status?.observedPolicies !== undefined;
    });
    const head = await root.head();

    await registry.push(repositoryName, '1.1.0');

    await eventually('the new image runs', runs('1.1.0'));
    const [bump, parent] = await root.log();
    expect(parent?.id).toBe(head);
    expect(bump?.files).toEqual(['apps/shop/shop.yaml']);
    expect(await root.read('apps/shop/shop.yaml')).toBe(before.replace(':1.0.0', ':1.1.0'));
    const changed = (await root.patch(bump?.id ?? '')).split('\n').filter((line) => /^[-+][^-+]/.test(line));
    expect(changed).toHaveLength(2);
    await eventually('the commit is green', async () =>
      (await root.statuses(bump?.id ?? '')).some(
        ({ context, status }) => context === STATUS && status === 'success',
      ),
    );
  });

  test('twenty images that are pushed within two seconds become at most three commits, and none is missing', async () => {
    const { stage, registry } = images;
    const { objects, root } = stage;
    const team = await images.team();
    const names = Array.from({ length: 20 }, (_, index) => `app-${String(index).padStart(2, '0')}`);
    const line = (name: string, tag: string) =>
      `image: ${registry.host}/${team.name}/${name}:${tag} # {"$imagepolicy": "${team.name}:${name}"}\n`;
    const text = (tag: string) => names.map((name) => `---\n${line(name, tag)}`).join('');
    await Promise.all(names.map((name) => registry.push(`${team.name}/${name}`, '1.0.0')));
    await root.commit({ 'many/all.yaml': text('1.0.0') });
    for (const name of names) {
      await team.repository({ image: name }, name);
      await team.policy({ imageRepositoryRef: { name }, policy: { semver: { range: '1.x' } } }, name);
    }
    await Promise.all(names.map((name) => team.latest('1.0.0', name)));
    // It pushes with credentials of its own: those of the operator are for automations beside the root source.
    const { user, token } = stage.gitea.admin;
    await objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'git', namespace: team.name },
      stringData: { username: user, password: token },
    });
    await objects.create(
      'gitrepositories',
      gitRepository('many', team.name, root.url, { secretRef: { name: 'git' } }),
    );
    await objects.create('imageupdateautomations', {
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind: 'ImageUpdateAutomation',
      metadata: { name: 'many', namespace: team.name },
      spec: {
        interval: '1h',
        sourceRef: { kind: 'GitRepository', name: 'many' },
        git: { commit: { author: { name: 'bot', email: 'bot@example.test' } } },
        update: { path: './many' },
      },
    });
    await eventually('the automation has seen all of them', async () => {
      const found = await objects.get<Automation>('imageupdateautomations', team.name, 'many');
      return Object.keys(found?.status?.observedPolicies ?? {}).length === names.length;
    });
    const before = await root.head();

    const began = Date.now();
    await Promise.all(names.map((name) => registry.push(`${team.name}/${name}`, '1.1.0')));
    expect(Date.now() - began).toBeLessThan(2_000);

    await eventually(
      'all of them are committed',
      async () => (await root.read('many/all.yaml')) === text('1.1.0'),
    );
    const commits = (await root.log()).findIndex(({ id }) => id === before);
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThanOrEqual(3);
  });
});

type Deployment = ToolkitObject & { spec: { template: { spec: { containers: { image: string }[] } } } };

function pluralOf(kind: string): 'imagerepositories' | 'imagepolicies' | 'imageupdateautomations' {
  if (kind === 'ImageRepository') return 'imagerepositories';
  return kind === 'ImagePolicy' ? 'imagepolicies' : 'imageupdateautomations';
}

function follow(image: string) {
  const apiVersion = 'image.toolkit.fluxcd.io/v1';
  const metadata = { name: 'shop', namespace };
  const secretRef = { name: 'registry' };
  const policy = { semver: { range: '1.x' } };
  return [
    { kind: 'ImageRepository', spec: { image, interval: '1h', insecure: true, secretRef } },
    { kind: 'ImagePolicy', spec: { imageRepositoryRef: { name: 'shop' }, policy } },
    {
      kind: 'ImageUpdateAutomation',
      spec: {
        interval: '1h',
        sourceRef: { kind: 'GitRepository', name: 'flux-system' },
        git: { commit: { author: { name: 'bot', email: 'bot@example.test' } } },
        update: { path: './apps' },
      },
    },
  ].map((object) => ({ apiVersion, metadata, ...object }));
}

/** Written as people write: comments, quotes, odd blanks, an anchor, two documents, Windows' line endings. */
function manifest(image: string): string {
  return `# the shop: 1.0.0 was a good year
apiVersion: v1
kind: ConfigMap
metadata: {name: shop,   namespace: "default"}
data: &data
    'version':   "1.0.0"    # not the image's
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: default
spec:
  replicas: 0
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name:   shop
        image:   '${image}'   # {"$imagepolicy": "${namespace}:shop"}
`.replaceAll('\n', '\r\n');
}
