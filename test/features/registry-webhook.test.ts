import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type ImageStage, REGISTRY_WEBHOOK, startImageStage } from '../support/image-stage.ts';
import { WEBHOOK_SECRET } from '../support/slipway.ts';
import { CLUSTER } from '../support/stage.ts';

/** Objects look for themselves once an hour: what comes sooner was brought by a webhook. */
let images: ImageStage;
beforeAll(async () => {
  images = await startImageStage({ webhook: true });
});
afterAll(() => images?.stop());

/** Sends what the registry would send, with what it knows. */
function forge(repository: string, tag: string, secret = WEBHOOK_SECRET): Promise<Response> {
  const target = { repository, tag, digest: `sha256:${'f'.repeat(64)}`, url: 'http://169.254.169.254/' };
  return fetch(`${images.stage.slipway.url}${REGISTRY_WEBHOOK}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/vnd.docker.distribution.events.v1+json',
      authorization: `Bearer ${secret}`,
    },
    body: JSON.stringify({ events: [{ id: images.stage.unique('event'), action: 'push', target }] }),
  });
}

describe('a push to a real registry', () => {
  test('is told by its notification, and the policy has chosen the new tag without a list of all', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.policy({ policy: { semver: { range: '1.x' } } });
    await team.latest('1.0.0');
    const before = await team.scanned(1);
    await images.registry.push(`${team.name}/app`, '1.1.0');
    await team.latest('1.1.0');
    const after = await team.scanned(2);
    expect(after.status?.lastScanResult?.scanTime).toBe(before.status?.lastScanResult?.scanTime);
    const runs = await images.stage.slipway.ctx.index.runs.list({
      cluster: CLUSTER,
      object: `ImageRepository/${team.name}/app`,
      limit: 1,
    });
    expect(runs).toMatchObject([{ trigger: 'push' }]);
    expect(runs[0]?.steps.map(({ name }) => name)).toContain('look');
  });

  test('reaches an image that is followed since a moment ago, and every tag of many is kept', async () => {
    const team = await images.team();
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.scanned(1);
    const tags = Array.from({ length: 20 }, (_, index) => `1.0.${index + 1}`);
    await Promise.all(tags.map((tag) => images.registry.push(`${team.name}/app`, tag)));
    await team.scanned(21);
  });

  test('is believed only as far as the registry bears it out', async () => {
    const team = await images.team();
    const digest = await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.policy({
      policy: { semver: { range: '>=1.0.0' } },
      digestReflectionPolicy: 'Always',
      interval: '1h',
    });
    await team.latest('1.0.0');
    for (const tag of ['9.9.9', '1.0.0']) expect((await forge(`${team.name}/app`, tag)).status).toBe(202);
    // Jobs of one object run in turn: when the tag of a real push is there, the forged ones have been looked at.
    await images.registry.push(`${team.name}/app`, '0.1.0');
    const found = await team.scanned(2);
    expect(found.status?.lastScanResult?.latestTags).toEqual(['1.0.0', '0.1.0']);
    expect((await team.latest('1.0.0')).status?.latestRef?.digest).toBe(digest);
  });

  test('is told by a Receiver as well: the tag that its call names is looked for, and no list of all is made', async () => {
    const team = await images.team();
    const { objects, slipway } = images.stage;
    const repository = `${team.name}/app`;
    await images.registry.push(repository, '1.0.0');
    await team.repository();
    await team.policy({ policy: { semver: { range: '1.x' } } });
    const before = (await team.latest('1.0.0')) && (await team.scanned(1));
    await objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', namespace: team.name },
      stringData: { token: 'the-token-of-the-receiver' },
    });
    await objects.create('receivers', {
      apiVersion: 'notification.toolkit.fluxcd.io/v1',
      kind: 'Receiver',
      metadata: { name: 'harbor', namespace: team.name },
      spec: {
        type: 'harbor',
        secretRef: { name: 'token' },
        resources: [{ kind: 'ImageRepository', name: 'app' }],
      },
    });
    const path = await eventually('the Receiver listens', async () => {
      const found = await objects.get('receivers', team.name, 'harbor');
      return found?.status?.webhookPath;
    });
    // The tag comes to be without a notification of the registry's own.
    await images.registry.pushMany(repository, ['1.0.0', '1.1.0']);
    const answer = await fetch(`${slipway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'the-token-of-the-receiver' },
      body: JSON.stringify({
        type: 'PUSH_ARTIFACT',
        event_data: { resources: [{ tag: '1.1.0' }], repository: { repo_full_name: repository } },
      }),
    });
    expect(answer.status).toBe(202);
    await team.latest('1.1.0');
    const after = await team.scanned(2);
    expect(after.status?.lastScanResult?.scanTime).toBe(before.status?.lastScanResult?.scanTime);
  });

  test('brings nothing about without the secret, for images that nobody follows, or at another host', async () => {
    const team = await images.team();
    expect((await forge(`${team.name}/app`, '1.0.0', 'wrong')).status).toBe(401);
    expect((await forge(`${team.name}/nobody`, '1.0.0')).status).toBe(202);
    await eventually('it is said that nothing follows it', () =>
      images.stage.slipway.log.some(
        (line) => line.includes('nothing follows this image') && line.includes(`${team.name}/nobody`),
      ),
    );
    expect((await forge('../../other', '1.0.0')).status).toBe(400);
  });
});
