import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { Canaries } from '../support/canaries.ts';
import { eventually } from '../support/eventually.ts';
import { gitRepository } from '../support/fleet-repository.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf, isReadyAt } from '../support/kube-objects.ts';
import { serveIssuer } from '../support/oidc-issuer.ts';
import { receiverEntry } from '../support/receiver-entry.ts';
import { CLUSTER, type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const TOKEN = 'canary-token-of-a-receiver-0123456789';

function receiver(namespace: string, spec: Record<string, unknown>, name = 'hub'): KubernetesObject {
  return {
    apiVersion: 'notification.toolkit.fluxcd.io/v1',
    kind: 'Receiver',
    metadata: { name, namespace },
    spec: {
      type: 'github',
      secretRef: { name: 'token' },
      resources: [{ kind: 'GitRepository', name: 'app' }],
      ...spec,
    },
  };
}

interface Setting {
  namespace: string;
  repository: GiteaRepository;
  /** Waits until the source has fetched a commit. */
  fetched(commit: string, name?: string): Promise<void>;
  /** The revision that a source has now. */
  revision(name?: string): Promise<string | undefined>;
  /** Waits until the Receiver is ready. @returns the URL to call */
  listening(): Promise<string>;
}

/** A namespace with a source that looks for itself once a day, and a Receiver. */
async function setUp(
  spec: Record<string, unknown> = {},
  token: string | undefined = TOKEN,
): Promise<Setting> {
  const namespace = stage.unique('hooks');
  const repository = await stage.gitea.createRepository(namespace, {
    files: { 'a.txt': '1' },
    private: false,
  });
  await stage.objects.namespace(namespace);
  if (token !== undefined) await stage.objects.create('secrets', secret(namespace, { token }));
  await eventually(
    'the Toolkit is installed',
    async () => (await stage.objects.list('receivers')).length >= 0,
  );
  await stage.objects.create(
    'gitrepositories',
    gitRepository('app', namespace, repository.url, { interval: '24h' }),
  );
  await stage.objects.create('receivers', receiver(namespace, spec));
  const source = (name = 'app') => stage.objects.get('gitrepositories', namespace, name);
  const fetched = async (commit: string, name?: string) => {
    await eventually(`${commit} is fetched`, async () => isReadyAt(await source(name), commit));
  };
  await fetched(await repository.head());
  return {
    namespace,
    repository,
    fetched,
    revision: async (name) => (await source(name))?.status?.artifact?.revision,
    listening: async () => {
      const found = () => stage.objects.get('receivers', namespace, 'hub');
      return eventually(
        'the Receiver is ready',
        async () => {
          const one = await found();
          return isReadyAt(one) && `${stage.slipway.url}${one?.status?.webhookPath}`;
        },
        { explain: async () => JSON.stringify((await found())?.status, null, 1) },
      );
    },
  };
}

function secret(namespace: string, stringData: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token', namespace }, stringData };
}

interface Call {
  body?: unknown;
  token?: string;
  event?: string;
  id?: string;
  headers?: Record<string, string>;
}

/** Calls as GitHub does. */
async function call(
  url: string,
  { body = { ref: 'x' }, token = TOKEN, event = 'push', id, headers }: Call = {},
) {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', token).update(text).digest('hex');
  return fetch(url, {
    method: 'POST',
    body: text,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': id ?? stage.unique('delivery'),
      'x-hub-signature-256': `sha256=${signature}`,
      ...headers,
    },
  });
}

/** Waits until the log tells of the end of a call. @returns how many objects it was for */
async function calledFor(answer: Response): Promise<number> {
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  return eventually('the call is handled', () => {
    const line = stage.slipway.log.find(
      (one) => one.includes(id) && /"message":"(called|a call came)/.test(one),
    );
    return line === undefined ? undefined : Number((JSON.parse(line) as { objects?: number }).objects ?? -1);
  });
}

describe('a Receiver', () => {
  test("has Flux's path, conditions and event, and a push by the real provider is fetched at once", async () => {
    const { namespace, repository, fetched, listening } = await setUp();
    const url = await listening();
    const digest = createHash('sha256').update(`${TOKEN}hub${namespace}`).digest('hex');
    expect(new URL(url).pathname).toBe(`/hook/${digest}`);
    const found = await stage.objects.get('receivers', namespace, 'hub');
    expect(conditionOf(found)).toMatchObject({
      status: 'True',
      reason: 'Succeeded',
      message: `Receiver initialized for path: /hook/${digest}`,
    });
    const events = await stage.objects.list<{
      reason: string;
      source: unknown;
      involvedObject: { kind: string };
    }>('events', namespace);
    expect(events.filter(({ involvedObject }) => involvedObject.kind === 'Receiver')).toMatchObject([
      { reason: 'Succeeded', source: { component: 'notification-controller' } },
    ]);
    await repository.createWebhook(url, TOKEN);
    await fetched(await repository.commit({ 'a.txt': '2' }));
  });

  test('answers what it cannot verify with 401 and unknown paths with 404, and does nothing', async () => {
    const { repository, revision, listening } = await setUp();
    const url = await listening();
    const before = await revision();
    await repository.commit({ 'a.txt': '2' });
    expect((await call(url, { token: 'wrong' })).status).toBe(401);
    expect((await call(url.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).status).toBe(404);
    for (const path of ['/hook/', '/hook/x', `/hook/${'0'.repeat(63)}`, `/hook/${'A'.repeat(64)}`])
      expect((await call(`${stage.slipway.url}${path}`)).status).toBe(404);
    expect((await fetch(url)).status).toBe(405);
    expect(await revision()).toBe(before);
  });

  test('does once what is delivered twice, and again what is delivered anew', async () => {
    const { fetched, repository, listening } = await setUp();
    const url = await listening();
    const original = await call(url, { id: 'first' });
    const { id } = (await original.clone().json()) as { id: string };
    expect(await calledFor(original)).toBe(1);
    const commit = await repository.commit({ 'a.txt': '2' });
    const [again, second] = [await call(url, { id: 'first' }), await call(url, { id: 'second' })];
    expect([again.status, await again.json()]).toEqual([202, { id }]);
    expect(await calledFor(second)).toBe(1);
    await fetched(commit);
    // Calls of one Receiver are handled in turn, so that of the repeated one would be over by now.
    expect(stage.slipway.log.filter((line) => line.includes(id) && line.includes('"called"'))).toHaveLength(
      1,
    );
  });

  test('heeds the events it lists, and answers pings', async () => {
    const { listening } = await setUp({ events: ['push'] });
    const url = await listening();
    expect((await call(url, { event: 'star' })).status).toBe(204);
    expect((await call(url, { event: 'ping' })).status).toBe(200);
    expect(await calledFor(await call(url, { event: 'Push' }))).toBe(1);
  });

  test('lets filters choose among what labels select, by metadata and body, however large', async () => {
    const { namespace, repository, listening } = await setUp({
      resources: [
        {
          kind: 'GitRepository',
          name: '*',
          matchLabels: { team: 'web' },
          filter: "res.metadata.annotations['for'] == req.ref",
        },
        { kind: 'GitRepository', name: 'app', filter: 'req.missing == 1' },
        { kind: 'HelmRelease', name: 'app' },
      ],
      resourceFilter: 'has(req.ref)',
    });
    const url = await listening();
    for (const [name, team, ref] of [
      ['wanted', 'web', 'main'],
      ['other-ref', 'web', 'dev'],
      ['other-team', 'api', 'main'],
    ] as const) {
      const source = gitRepository(name, namespace, repository.url, { interval: '24h' });
      Object.assign(source.metadata, { labels: { team }, annotations: { for: ref } });
      await stage.objects.create('gitrepositories', source);
      await eventually(`${name} is there`, async () =>
        isReadyAt(await stage.objects.get('gitrepositories', namespace, name)),
      );
    }
    expect(await calledFor(await call(url, { body: { ref: 'main' } }))).toBe(1);
    expect(await calledFor(await call(url, { body: { ref: 'main', more: 'x'.repeat(300_000) } }))).toBe(1);
    expect(await calledFor(await call(url, { body: { other: 1 } }))).toBe(0);
    const found = await stage.objects.get('receivers', namespace, 'hub');
    expect(conditionOf(found)?.message).toMatch(
      /without effect: HelmRelease\/app \(its kind is not supported\)$/,
    );
    expect(stage.slipway.log.join()).toMatch(/a filter could not be evaluated; the object is left out/);
    const blobs = [];
    for await (const { key } of stage.slipway.ctx.blobs.list('hooks/')) blobs.push(key);
    expect(blobs).toEqual([]);
  });

  test('listens at the path of its new token alone once that has changed', async () => {
    const { namespace, listening } = await setUp();
    const old = await listening();
    await stage.objects.patch('secrets', namespace, 'token', {
      stringData: { token: 'another-token-of-it' },
    });
    await stage.objects.patch('receivers', namespace, 'hub', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } },
    });
    await eventually('there is another path', async () => (await listening()) !== old);
    expect((await call(old)).status).toBe(404);
    expect(await calledFor(await call(await listening(), { token: 'another-token-of-it' }))).toBe(1);
  });

  test('has no effect from the moment it is suspended, and answers 503 soon after', async () => {
    const { namespace, listening } = await setUp();
    const url = await listening();
    await stage.objects.patch('receivers', namespace, 'hub', { spec: { suspend: true } });
    const answer = await call(url);
    if (answer.status !== 503) expect(await calledFor(answer)).toBe(-1);
    await eventually('it answers 503', async () => (await call(url)).status === 503);
    await stage.objects.patch('receivers', namespace, 'hub', { spec: { suspend: null } });
    await eventually('it listens again', async () => (await call(url)).status === 202);
  });

  test('is gone with its path when it is deleted', async () => {
    const { namespace, listening } = await setUp();
    const url = await listening();
    await stage.objects.delete('receivers', namespace, 'hub');
    await eventually('it is gone', async () => !(await stage.objects.get('receivers', namespace, 'hub')));
    await eventually('its path is closed', async () => (await call(url)).status === 404);
  });

  test('is closed by the next sweep when it vanished without anybody having seen it', async () => {
    const { receivers } = stage.slipway.ctx.index;
    const path = `/hook/${'e'.repeat(64)}`;
    await receivers.put(path, receiverEntry({ cluster: CLUSTER, namespace: 'nowhere', name: 'ghost' }));
    expect(await receivers.find(path)).toHaveLength(1);
    await eventually('its path is closed', async () => (await receivers.find(path)).length === 0);
  });

  test('says what is wrong with it: no token, or an expression that is none', async () => {
    const { namespace } = await setUp({ secretRef: { name: 'missing' } });
    const failed = await eventually('it says what is missing', async () => {
      const found = await stage.objects.get('receivers', namespace, 'hub');
      return conditionOf(found)?.status === 'False' && found;
    });
    expect(conditionOf(failed)).toMatchObject({ reason: 'TokenNotFound' });
    expect(conditionOf(failed)?.message).toMatch(`Secret/${namespace}/missing`);
    expect(failed.status?.webhookPath).toBeUndefined();
    await stage.objects.patch('receivers', namespace, 'hub', {
      spec: { secretRef: { name: 'token' }, resourceFilter: 'claims.x == 1' },
    });
    const stalled = await eventually('it is stalled', async () => {
      const found = await stage.objects.get('receivers', namespace, 'hub');
      return conditionOf(found, 'Stalled') && found;
    });
    expect(conditionOf(stalled)).toMatchObject({ status: 'False', reason: 'InvalidCELExpression' });
    expect(conditionOf(stalled)?.message).toMatch(/^spec\.resourceFilter: /);
  });

  test('of type generic-oidc lets in tokens of its issuer whose claims fit, and hands the claims to filters', async () => {
    const issuer = await serveIssuer();
    try {
      const validations = [{ expression: "claims.repository_owner == 'acme'", message: 'wrong owner' }];
      const { fetched, repository, listening } = await setUp({
        type: 'generic-oidc',
        secretRef: undefined,
        oidcProviders: [{ issuerURL: issuer.url, audience: 'slipway', validations }],
        resourceFilter: 'res.metadata.name == claims.target && req == {}',
      });
      const url = await listening();
      const send = async (claims: Record<string, unknown>) =>
        fetch(url, { method: 'POST', headers: { authorization: `Bearer ${await issuer.sign(claims)}` } });
      const fine = { aud: 'slipway', repository_owner: 'acme', target: 'app' };
      expect((await fetch(url, { method: 'POST' })).status).toBe(401);
      expect((await send({ ...fine, aud: 'other' })).status).toBe(401);
      const wrong = await send({ ...fine, repository_owner: 'evil' });
      expect([wrong.status, await wrong.json()]).toEqual([401, { error: 'wrong owner' }]);
      const commit = await repository.commit({ 'a.txt': '2' });
      expect(await calledFor(await send({ ...fine, target: 'other' }))).toBe(0);
      expect(await calledFor(await send(fine))).toBe(1);
      await fetched(commit);
    } finally {
      await issuer.stop();
    }
  });

  test('leaves its token and its path nowhere in what is stored and in no log line', async () => {
    const { listening, namespace } = await setUp();
    const url = await listening();
    const digest = url.slice(-64);
    expect(await calledFor(await call(url))).toBe(1);
    const canaries = new Canaries();
    canaries.know('the token', TOKEN);
    canaries.know('the path', digest);
    const stored = await stage.slipway.stored();
    const visible = new Canaries();
    visible.know('its namespace', namespace);
    expect(visible.foundUnder(stored)).not.toEqual([]);
    expect(canaries.foundUnder(stored)).toEqual([]);
    expect(canaries.foundIn(stage.slipway.log.join('\n'))).toEqual([]);
  });
});
