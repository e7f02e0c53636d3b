import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { eventually } from '../support/eventually.ts';
import { type ImageStage, startImageStage } from '../support/image-stage.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { startScripted } from '../support/registry-server.ts';
import { CLUSTER } from '../support/stage.ts';

const logins = (cloud: string, host: string) => {
  if (cloud !== 'gcp' || host !== images.registry.host) throw new Error(`no login for ${host}`);
  return { username: 'user', password: 'the-password-of-the-registry', expiresAt: Number.POSITIVE_INFINITY };
};

let images: ImageStage;
beforeAll(async () => {
  images = await startImageStage({
    stage: {
      cluster: { registryIdentities: ['gcp'] },
      // A cloud that the real registry takes for its own; those of the clouds have tests of theirs.
      wrap: (ctx) => ({ ...ctx, registryLogins: { login: async (cloud, host) => logins(cloud, host) } }),
    },
  });
});
afterAll(() => images?.stop());

/** The steps of the last run of an ImageRepository. */
async function lastSteps(namespace: string): Promise<string[]> {
  const [run] = await images.stage.slipway.ctx.index.runs.list({
    cluster: CLUSTER,
    object: `ImageRepository/${namespace}/app`,
    limit: 1,
  });
  return (run?.steps ?? []).map(({ name }) => name);
}

/** An ImageRepository of any image, without credentials. */
async function createImage(namespace: string, name: string, image: string, more: object = {}): Promise<void> {
  await images.stage.objects.create('imagerepositories', {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImageRepository',
    metadata: { name, namespace },
    spec: { image, interval: '1h', insecure: true, ...more },
  });
}

describe('an image', () => {
  test('is shown with its tags as Flux shows it', async () => {
    const team = await images.team();
    for (const tag of ['1.0.0', '1.1.0', '1.1.0.sig']) await images.registry.push(`${team.name}/app`, tag);
    await team.repository();
    const found = await team.scanned(2);
    expect(found.status).toMatchObject({
      canonicalImageName: `${images.registry.host}/${team.name}/app`,
      lastScanResult: {
        tagCount: 2,
        latestTags: ['1.1.0', '1.0.0'],
        revision: expect.stringMatching(/^\d+$/),
      },
      observedExclusionList: ['^.*\\.sig$'],
      observedGeneration: 1,
    });
    expect(found.metadata.finalizers).toEqual(['finalizers.fluxcd.io']);
    const { revision } = found.status?.lastScanResult ?? {};
    expect(conditionOf(found)).toMatchObject({
      reason: 'Succeeded',
      message: `successful scan: found 2 tags with checksum ${revision}`,
    });
    expect(found.status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
    const events = await eventually('the event is there', async () => {
      const all = await images.stage.objects.list<KubernetesObject & { message: string; source: object }>(
        'events',
        team.name,
      );
      return all.length > 0 && all;
    });
    expect(events[0]).toMatchObject({
      reason: 'Succeeded',
      type: 'Normal',
      source: { component: 'image-reflector-controller' },
    });
  });

  test('has a new tag at once when a registry speaks of it, for one request and without a list', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    const before = await team.scanned(1);
    await images.registry.push(`${team.name}/app`, '1.1.0');
    await team.hint('1.1.0');
    const after = await team.scanned(2);
    expect(after.status?.lastScanResult?.latestTags).toEqual(['1.1.0', '1.0.0']);
    // The time of the last look at all tags stays.
    expect(after.status?.lastScanResult?.scanTime).toBe(before.status?.lastScanResult?.scanTime);
    await eventually('the run is recorded', async () => (await lastSteps(team.name)).includes('look'));
    expect(await lastSteps(team.name)).not.toContain('list');
  });

  test('keeps every tag of many that come within a moment', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.scanned(1);
    const more = Array.from({ length: 20 }, (_, i) => `1.0.${i + 1}`);
    await images.registry.pushMany(`${team.name}/app`, more);
    await Promise.all(more.map((tag) => team.hint(tag)));
    const found = await team.scanned(21);
    expect(found.status?.lastScanResult?.latestTags).toHaveLength(10);
  });

  test('does not believe what it is told: a tag that is not there is none, and one that is gone goes', async () => {
    const team = await images.team();
    for (const tag of ['1.0.0', '2.0.0']) await images.registry.push(`${team.name}/app`, tag);
    await team.repository();
    await team.scanned(2);
    for (const forged of ['9.9.9', '../../../etc/passwd', 'x y', '', '3.0.0.sig']) await team.hint(forged);
    await images.registry.delete(`${team.name}/app`, '2.0.0');
    await team.hint('2.0.0');
    const found = await team.scanned(1);
    expect(found.status?.lastScanResult?.latestTags).toEqual(['1.0.0']);
  });

  test('is scanned anew when it is asked for, and when what is excluded changes', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.scanned(1);
    await images.registry.push(`${team.name}/app`, '1.1.0-rc.1');
    await team.request('imagerepositories');
    await team.scanned(2);
    const spec = { exclusionList: ['-rc\\.'] };
    await images.stage.objects.patch('imagerepositories', team.name, 'app', { spec });
    const found = await team.scanned(1);
    expect(found.status?.observedExclusionList).toEqual(['-rc\\.']);
  });

  test('that is large is listed to its end', async () => {
    const team = await images.team();
    await images.registry.pushMany(
      `${team.name}/app`,
      Array.from({ length: 3_500 }, (_, i) => `0.0.${i}`),
    );
    await team.repository();
    await team.scanned(3_500);
  });

  test('is forgotten when it is deleted', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.scanned(1);
    const { imageTags } = images.stage.slipway.ctx.index;
    expect(await imageTags.get(CLUSTER, `ImageRepository/${team.name}/app`)).toBeDefined();
    await images.stage.objects.delete('imagerepositories', team.name, 'app');
    await eventually('it is gone', async () => (await team.getRepository()) === undefined);
    await eventually(
      'its tags are gone',
      async () => (await imageTags.get(CLUSTER, `ImageRepository/${team.name}/app`)) === undefined,
    );
  });
});

describe('an image that cannot be read', () => {
  test.each([
    ['https://ghcr.io/owner/app', /should not include URL scheme/],
    ['ghcr.io/owner/app:v1', /should not include a tag/],
    ['ghcr.io/Owner/App', /no valid repository/],
  ])('because of its name %s stalls', async (image, expected) => {
    const team = await images.team();
    await createImage(team.name, 'app', image);
    const { message, object } = await team.failed('imagerepositories', 'ImageURLInvalid');
    expect(message).toMatch(expected);
    expect(conditionOf(object, 'Stalled')?.status).toBe('True');
  });

  test('because it does not exist says so', async () => {
    const team = await images.team();
    await team.repository({ image: 'none' });
    const { message } = await team.failed('imagerepositories', 'ReadOperationFailed');
    expect(message).toMatch(/^scan failed: .*\/none does not exist, or is hidden.*\(NAME_UNKNOWN/);
  });

  test('without credentials, or with others, is read as soon as they are right', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository({ secretRef: { name: 'later' } });
    const missing = await team.failed('imagerepositories', 'AuthenticationFailed');
    expect(missing.message).toContain(`Secret/${team.name}/later`);
    const { objects } = images.stage;
    const wrong = { auths: { [images.registry.host]: { username: 'user', password: 'not-the-password' } } };
    await objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'later', namespace: team.name },
      stringData: { '.dockerconfigjson': JSON.stringify(wrong) },
    });
    const refused = await team.failed('imagerepositories', 'ReadOperationFailed');
    expect(refused.message).toMatch(/the registry does not accept the credentials/);
    expect(JSON.stringify(refused.object)).not.toContain('not-the-password');
    await objects.patch('secrets', team.name, 'later', {
      stringData: { '.dockerconfigjson': images.registry.dockerConfig() },
    });
    await team.scanned(1);
  });

  test('is opened by the pull secrets of its service account', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await images.stage.objects.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'puller', namespace: team.name },
      imagePullSecrets: [{ name: 'registry' }],
    } as KubernetesObject);
    await team.repository({ secretRef: undefined, serviceAccountName: 'puller' });
    await team.scanned(1);
  });

  test('because its host is not allowed stalls, and nothing is asked there', async () => {
    const inside = await startScripted(() => ({ body: { tags: ['v1'] } }), '127.0.0.2');
    try {
      const team = await images.team();
      await createImage(team.name, 'metadata', '169.254.169.254/app');
      await createImage(team.name, 'inside', `${inside.host}/app`);
      for (const name of ['metadata', 'inside']) {
        const { message, object } = await team.failed('imagerepositories', 'ReadOperationFailed', name);
        expect(message).toMatch(/network\.allow in slipway\.yaml/);
        expect(conditionOf(object, 'Stalled')?.status).toBe('True');
      }
      expect(inside.requests).toEqual([]);
    } finally {
      await inside.stop();
    }
  });

  test('because its registry never answers is given up after spec.timeout', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const team = await images.team();
      const { port } = silent.address() as AddressInfo;
      await createImage(team.name, 'app', `127.0.0.1:${port}/app`, { timeout: '500ms' });
      const { message, object } = await team.failed('imagerepositories', 'ReadOperationFailed');
      expect(message).toMatch(/did not give all that was asked for within spec\.timeout$/);
      expect(conditionOf(object, 'Stalled')).toBeUndefined();
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  test('because it asks for the identity of a cloud that the operator has not given says what to do', async () => {
    const team = await images.team();
    await team.repository({ provider: 'aws' });
    const { message } = await team.failed('imagerepositories', 'AuthenticationFailed');
    expect(message).toMatch(/lets no ImageRepository use the identity of aws.*registryIdentities/);
  });

  test('because a ServiceAccount of its own is to have the identity of a cloud says what to do', async () => {
    const team = await images.team();
    await team.repository({ provider: 'gcp', serviceAccountName: 'default' });
    const { message } = await team.failed('imagerepositories', 'AuthenticationFailed');
    expect(message).toMatch(
      /asks for the identity of ServiceAccount\/.*, which Slipway does not take on; remove spec\.serviceAccountName/,
    );
  });
});

test('an image is read with an identity of a cloud where the operator lets the cluster use it', async () => {
  const team = await images.team();
  await images.registry.push(`${team.name}/app`, '1.0.0');
  await team.repository({ provider: 'gcp', secretRef: undefined });
  await team.scanned(1);
});

test('no password shows in logs, events, statuses or runs', async () => {
  const { slipway, objects } = images.stage;
  const runs = await slipway.ctx.index.runs.list({ cluster: CLUSTER, limit: 1_000 });
  const shown = JSON.stringify([
    slipway.log,
    runs,
    await objects.list('events'),
    await objects.list('imagerepositories'),
  ]);
  expect(runs.length).toBeGreaterThan(10);
  for (const password of ['the-password-of-the-registry', 'not-the-password']) {
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(Buffer.from(`user:${password}`).toString('base64'));
  }
});
