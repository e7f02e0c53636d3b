import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../lib/pipeline/context.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { kubeCall } from '../support/kube-request.ts';
import { WEBHOOK_SECRET } from '../support/slipway.ts';
import { STATUS, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
/** While set, stored archives are read as this makes them. */
let damage: ((bytes: Uint8Array) => Uint8Array | undefined) | undefined;

beforeAll(async () => {
  stage = await startStage({ wrap: withDamage });
});
afterAll(() => stage.stop());

function withDamage(ctx: Context): Context {
  return {
    ...ctx,
    blobs: {
      has: (key) => ctx.blobs.has(key),
      put: (key, bytes) => ctx.blobs.put(key, bytes),
      delete: (key) => ctx.blobs.delete(key),
      list: (prefix) => ctx.blobs.list(prefix),
      async get(key) {
        const bytes = await ctx.blobs.get(key);
        return bytes && damage && key.endsWith('.tar') ? damage(bytes) : bytes;
      },
    },
  };
}

const NAMES = ['one', 'three', 'two'];
const manifest = (name: string, value = 'first') => yaml(configMap(name, 'default', { value }));

/** A team with three ConfigMaps that are applied. */
async function deployed(source: Record<string, unknown> = {}): Promise<Team> {
  const files = Object.fromEntries(NAMES.map((name) => [`app/${name}.yaml`, manifest(name)]));
  const team = await stage.team(files, { source });
  await team.kustomize('app', './app', { retryInterval: '2s' });
  await team.ready();
  expect(await team.configMaps()).toEqual(NAMES);
  return team;
}

describe('a render that cannot be trusted deletes nothing:', () => {
  test('a path that is gone', async () => {
    const team = await deployed();
    const commit = await team.push({
      ...Object.fromEntries(NAMES.map((name) => [`app/${name}.yaml`, null])),
      'elsewhere/one.yaml': manifest('one'),
    });
    await team.failed('ArtifactFailed');
    await team.status(commit, 'failure');
    expect(await team.configMaps()).toEqual(NAMES);
  });

  test('a file that cannot be built, beside files that are gone', async () => {
    const team = await deployed();
    const commit = await team.push({
      'app/one.yaml': 'kind: [',
      'app/two.yaml': null,
      'app/three.yaml': null,
    });
    await team.failed('BuildFailed', 'app', /one\.yaml/);
    await team.status(commit, 'failure');
    expect(await team.configMaps()).toEqual(NAMES);
  });

  test('a render of nothing', async () => {
    const team = await deployed();
    const commit = await team.push({
      'app/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
    });
    await team.failed('PruneFailed', 'app', /the render is empty; nothing was deleted.*slipway approve/s);
    await team.status(commit, 'failure');
    expect(await team.configMaps()).toEqual(NAMES);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array | undefined, RegExp]>([
    ['an archive that is cut short', (bytes) => bytes.slice(0, 1024), /digest/],
    ['an archive of nothing', () => new Uint8Array(1024), /digest/],
    ['an archive that is gone from the store', () => undefined, /gone from the store/],
  ])('%s', async (_what, how, words) => {
    const team = await deployed();
    damage = how;
    try {
      await team.push({ 'app/one.yaml': manifest('one', 'second'), 'app/two.yaml': null });
      await team.failed('ArtifactFailed', 'app', words);
      expect(await team.configMaps()).toEqual(NAMES);
      expect(await team.data('one')).toEqual({ value: 'first' });
    } finally {
      damage = undefined;
    }
    // What was damaged on its way is read again, and then all is well.
    await team.ready();
    expect(await team.configMaps()).toEqual(['one', 'three']);
    expect(await team.data('one')).toEqual({ value: 'second' });
  });

  test('a commit that its source cannot take, which shows on the commit', async () => {
    const team = await deployed({ sparseCheckout: ['app'] });
    const commit = await team.push({
      ...Object.fromEntries(NAMES.map((name) => [`app/${name}.yaml`, null])),
      'elsewhere/one.yaml': manifest('one'),
    });
    await team.status(commit, 'failure');
    expect(await team.configMaps()).toEqual(NAMES);
  });

  test('a repository that is gone', async () => {
    const team = await deployed();
    await team.repository.delete();
    await stage.objects.patch('gitrepositories', team.name, 'app', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } },
    });
    await eventually('the source fails', async () => {
      const ready = conditionOf(await stage.objects.get('gitrepositories', team.name, 'app'));
      return ready?.status === 'False';
    });
    await stage.objects.patch('kustomizations', team.name, 'app', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } },
    });
    await eventually('the Kustomization has looked', async () => {
      const found = await team.kustomization();
      return found?.status?.lastHandledReconcileAt === 'now';
    });
    expect(await team.configMaps()).toEqual(NAMES);
  });
});

test('a push that is delivered eleven times at once is applied once, and told once', async () => {
  const team = await deployed();
  const commit = await team.push({ 'app/one.yaml': manifest('one', 'second') });
  const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(team.repository, commit)));
  expect(answers).toEqual(Array(10).fill(202));
  await team.ready('app', commit);
  await team.status(commit, 'success');
  // Every delivery has been worked off before one looks.
  await eventually('the queues are empty', async () => {
    const lines = stage.slipway.log.filter((line) => /fanned out/.test(line) && line.includes(commit));
    return lines.length >= 10;
  });
  const later = await team.push({ 'app/one.yaml': manifest('one', 'third') });
  await team.ready('app', later);
  const runs = await stage.slipway.ctx.index.runs.list({ cluster: 'production', limit: 500 });
  const changing = runs.filter(
    ({ object, revision, changes }) =>
      object.kind === 'Kustomization' &&
      object.namespace === team.name &&
      revision?.endsWith(commit) &&
      changes.length > 0,
  );
  expect(changing).toHaveLength(1);
  const history = (await team.repository.statusHistory(commit)).filter(({ context }) => context === STATUS);
  expect(history.filter(({ status }) => status === 'success')).toHaveLength(1);
  expect(history.at(-1)?.status).toBe('success');
});

test('a Toolkit object whose kind is not supported is applied, and named as being without effect', async () => {
  await kubeCall(
    stage.kubernetes,
    'POST',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    helmReleases(),
  );
  const team = await deployed();
  const release = {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'idle' },
    spec: {},
  };
  const commit = await team.push({ 'app/release.yaml': yaml(release) });
  const ready = await team.ready('app', commit);
  expect(conditionOf(ready)?.message).toContain(
    `without effect, since their kind is not supported: HelmRelease/${team.name}/idle`,
  );
});

test('a commit that is not signed as it must be shows in its source, and nothing of it is applied', async () => {
  const team = await deployed();
  const { publicKey } = generateKeyPairSync('ed25519');
  await stage.objects.create('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: team.name },
    stringData: { 'author.pub': openSsh(publicKey) },
  });
  const verify = { mode: 'HEAD', secretRef: { name: 'keys' } };
  await stage.objects.patch('gitrepositories', team.name, 'app', { spec: { verify } });
  const commit = await team.push({ 'app/one.yaml': manifest('one', 'unsigned') });
  await team.status(commit, 'failure');
  const source = await stage.objects.get('gitrepositories', team.name, 'app');
  expect(conditionOf(source, 'SourceVerified')).toMatchObject({
    status: 'False',
    reason: 'InvalidCommitSignature',
  });
  expect(await team.data('one')).toEqual({ value: 'first' });
});

/** The definition of HelmReleases, as far as a cluster needs one to take them. */
function helmReleases(): object {
  const names = { kind: 'HelmRelease', plural: 'helmreleases', singular: 'helmrelease' };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'helmreleases.helm.toolkit.fluxcd.io' },
    spec: {
      group: 'helm.toolkit.fluxcd.io',
      names,
      scope: 'Namespaced',
      versions: [{ name: 'v2', served: true, storage: true, schema }],
    },
  };
}

/** A public key as it stands in `authorized_keys`. https://www.rfc-editor.org/rfc/rfc8709#section-4 */
function openSsh(key: KeyObject): string {
  const raw = Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
  const parts = ['ssh-ed25519', raw].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, Buffer.from(part as string)];
  });
  return `ssh-ed25519 ${Buffer.concat(parts).toString('base64')} author`;
}

/** Delivers a push of a commit to main as Gitea does, always the same. */
async function deliver(repository: GiteaRepository, commit: string): Promise<number> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after: commit,
    repository: { full_name: `${repository.owner}/${repository.name}`, clone_url: repository.url },
    pusher: { login: 'somebody' },
    commits: [],
  });
  const headers = {
    'content-type': 'application/json',
    'x-gitea-event': 'push',
    'x-gitea-delivery': `delivery-of-${commit}`,
    'x-gitea-signature': createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex'),
  };
  return (await fetch(`${stage.slipway.url}/webhooks/gitea`, { method: 'POST', headers, body })).status;
}
