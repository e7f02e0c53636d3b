import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ImageJob } from '../../../lib/core/job.ts';
import { createLog } from '../../../lib/log.ts';
import { createWebhookApp } from '../../../lib/receive/app.ts';
import { createIdTokens } from '../../../lib/receive/id-token.ts';
import type { StrangersLimit } from '../../../lib/receive/refuse.ts';
import type { WebhookRegistry } from '../../../lib/receive/registries/registry-type.ts';
import { Strangers } from '../../../lib/receive/strangers.ts';
import { memoryDeliveries } from '../../support/memory-deliveries.ts';

const SECRET = 'secret-of-the-registry';
const json = { 'content-type': 'application/json' };

const hub: WebhookRegistry = { type: 'dockerhub', host: 'index.docker.io', secrets: async () => [SECRET] };
const own: WebhookRegistry = { type: 'generic', host: 'a.example', secrets: async () => ['old', SECRET] };
const other: WebhookRegistry = { type: 'generic', host: 'b.example', secrets: async () => ['another'] };

function setUp(
  registries: Record<string, WebhookRegistry> = { hub, own, other },
  enqueue?: (jobs: readonly ImageJob[]) => Promise<void>,
  strangers?: StrangersLimit,
) {
  const jobs: ImageJob[] = [];
  const lines: string[] = [];
  const fetched: string[] = [];
  const deliveries = memoryDeliveries();
  const clock = { now: 1_000 };
  const app = createWebhookApp({
    providers: {},
    enqueue: async () => undefined,
    registries: {
      registries,
      tokens: createIdTokens(
        async (url) => {
          fetched.push(url);
          throw new Error('nothing is there');
        },
        () => clock.now,
      ),
      enqueue: enqueue ?? (async (sent) => void jobs.push(...sent)),
    },
    deliveries,
    ...(strangers ? { strangers } : {}),
    log: createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(line), now: () => 0 }),
    now: () => clock.now,
  });
  async function send(path: string, body: unknown, headers: Record<string, string> = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return app.request(`/webhooks/registry/${path}`, {
      method: 'POST',
      body: text,
      headers: { ...json, ...headers },
    });
  }
  const authorization = (secret: string) => ({ authorization: `Bearer ${secret}` });
  return { app, send, authorization, jobs, lines, fetched, deliveries, clock };
}

const image = { image: 'a.example/acme/app:1.2.3' };
const push = {
  callback_url: 'http://169.254.169.254/latest/meta-data',
  push_data: { tag: '1.2.3' },
  repository: { repo_name: 'acme/app', repo_url: 'http://evil.example' },
};

describe('the webhook of a registry', () => {
  test('becomes a job for each tag, which carries no digest', async () => {
    const { send, authorization, jobs } = setUp();
    const answer = await send(
      'generic',
      { image: `${image.image}@sha256:${'a'.repeat(64)}` },
      authorization(SECRET),
    );
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as { id: string };
    expect(jobs).toEqual([
      {
        type: 'image',
        registry: 'own',
        images: ['a.example/acme/app'],
        tag: '1.2.3',
        origin: { id },
        receivedAt: 1_000,
      },
    ]);
  });

  test('is known by its secret alone; that of another registry speaks for that one', async () => {
    const { send, authorization, jobs, deliveries } = setUp();
    expect((await send('generic', image)).status).toBe(401);
    expect((await send('generic', image, authorization('wrong'))).status).toBe(401);
    expect((await send('generic', image, authorization('another'))).status).toBe(403);
    expect((await send('generic', image, { 'x-signature': 'sha1=abc' })).status).toBe(401);
    expect([jobs, deliveries.done.size]).toEqual([[], 0]);
    expect((await send('generic', { image: 'b.example/x:1' }, authorization('another'))).status).toBe(202);
    expect(jobs.map(({ registry }) => registry)).toEqual(['other']);
  });

  test('has its secret in the path where the registry cannot sign, and nowhere else', async () => {
    const { send, authorization, jobs, lines } = setUp();
    expect((await send(`dockerhub/${SECRET}`, push)).status).toBe(202);
    expect(jobs).toMatchObject([{ registry: 'hub', images: ['index.docker.io/acme/app'], tag: '1.2.3' }]);
    expect((await send('dockerhub', push, authorization(SECRET))).status).toBe(404);
    expect((await send('dockerhub/wrong', push)).status).toBe(404);
    expect((await send('dockerhub/', push)).status).toBe(404);
    expect((await send(`generic/${SECRET}`, image)).status).toBe(404);
    expect(jobs).toHaveLength(1);
    expect(lines.join()).not.toContain(SECRET);
  });

  test('calls no address that a payload names', async () => {
    const { send, jobs, fetched } = setUp();
    await send(`dockerhub/${SECRET}`, push);
    expect(fetched).toEqual([]);
    expect(JSON.stringify(jobs)).not.toMatch(/http|169\.254|evil/);
  });

  test('does not exist for types that are not named in the fleet file, or are none', async () => {
    const { send, authorization } = setUp({ own });
    for (const type of ['quay', 'dockerhub', 'none', '__proto__', 'constructor'])
      for (const path of [type, `${type}/${SECRET}`])
        expect((await send(path, image, authorization(SECRET))).status, path).toBe(404);
  });

  test('is refused for everybody where a secret is empty, and not for others where one cannot be read', async () => {
    const empty = { ...own, secrets: async () => [''] };
    const broken = { ...own, secrets: () => Promise.reject(new Error('no such file')) };
    expect((await setUp({ empty }).send('generic', image, { authorization: 'Bearer ' })).status).toBe(401);
    const both = setUp({ broken, own });
    expect((await both.send('generic', image, both.authorization(SECRET))).status).toBe(202);
    const alone = setUp({ broken });
    expect((await alone.send('generic', image, alone.authorization(SECRET))).status).toBe(500);
  });

  test('is answered 503 when its jobs could not be stored, and done when it is delivered again', async () => {
    let broken = true;
    const stored: ImageJob[] = [];
    const { send, authorization, deliveries } = setUp({ own }, async (jobs) => {
      if (broken) throw new Error('the queue is down');
      stored.push(...jobs);
    });
    const headers = { ...authorization(SECRET), 'x-request-id': 'r1' };
    expect((await send('generic', image, headers)).status).toBe(503);
    expect(deliveries.done.size).toBe(0);
    broken = false;
    const [first, second] = [await send('generic', image, headers), await send('generic', image, headers)];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await first.json()).toEqual(await second.json());
    expect(stored).toHaveLength(1);
  });

  test('is answered 429 after too many guesses from one address, where valid ones still get through', async () => {
    const limit = new Strangers({ now: () => 1_000, burst: 2 });
    const { send, authorization, lines } = setUp(undefined, undefined, {
      limit,
      addressOf: () => '192.0.2.1',
    });
    const guesses = ['dockerhub/guess', 'dockerhub/other', 'dockerhub/third', 'generic'];
    const statuses = [];
    for (const guess of guesses) statuses.push((await send(guess, push)).status);
    statuses.push((await send('generic', image, authorization('wrong'))).status);
    expect(statuses).toEqual([404, 404, 429, 429, 429]);
    expect((await send(`dockerhub/${SECRET}`, push)).status).toBe(202);
    expect((await send('generic', image, authorization(SECRET))).status).toBe(202);
    expect(lines.filter((line) => line.includes('192.0.2.1'))).toHaveLength(1);
    expect(lines.join()).not.toMatch(/guess|secret-of/);
  });

  test('counts again where the registry has no ids: the same tag may rightly be pushed twice', async () => {
    const { send, jobs, clock } = setUp();
    await send(`dockerhub/${SECRET}`, push);
    clock.now += 1;
    await send(`dockerhub/${SECRET}`, push);
    expect(new Set(jobs.map(({ origin }) => origin.id)).size).toBe(2);
  });

  test('whose sender cannot be verified now, since the keys of its identity cannot be read, is answered 503', async () => {
    const identity = { email: 'a@b.example', audience: 'slipway' };
    const { send, jobs } = setUp({
      google: { type: 'gcr', host: 'gcr.io', secrets: async () => [], identity },
    });
    expect((await send('gcr', {}, { authorization: 'Bearer a.b.c' })).status).toBe(503);
    expect((await send('gcr', {})).status).toBe(401);
    expect(jobs).toEqual([]);
  });

  test.each([
    ['no JSON', '{"image":'],
    ['a key twice', '{"image":"a.example/x:1","image":"a.example/y:1"}'],
    ['__proto__', '{"__proto__":{"polluted":true}}'],
    ['half a character', '{"image":"\\ud800"}'],
    ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['null', 'null'],
    ['nothing', ''],
    ['an image of look-alikes', '{"image":"a.example/\u0430cme/app:1"}'],
    ['an image above the registry', '{"image":"a.example/../b.example/app:1"}'],
  ])('answers signed %s with 400 that repeats nothing of it', async (_name, body) => {
    const { send, authorization, jobs } = setUp();
    const answer = await send('generic', body, authorization(SECRET));
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toMatch(/acme|polluted|example/);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(jobs).toEqual([]);
  });

  test('answers pings and what changes nothing without a job', async () => {
    const { send, jobs } = setUp({ hub: { ...own, type: 'ghcr', host: 'ghcr.io' } });
    const signed = (event: string, body: string) => ({
      'x-github-event': event,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    });
    expect((await send('ghcr', '{}', signed('ping', '{}'))).status).toBe(200);
    expect((await send('ghcr', '{}', signed('star', '{}'))).status).toBe(204);
    expect(jobs).toEqual([]);
  });
});

/** The limits hold for every webhook, whoever it is for. */
describe.each(['/webhooks/registry/generic', `/webhooks/registry/dockerhub/${SECRET}`])('%s', (path) => {
  test('is refused over 3 MiB, by what it says and by what it sends, before anything is verified', async () => {
    const { app, jobs } = setUp();
    const said = new Request(`http://localhost${path}`, {
      method: 'POST',
      body: 'x',
      headers: { ...json, 'content-length': String(25 * 1024 * 1024) },
    });
    expect((await app.fetch(said)).status).toBe(413);
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    // Endless, and it claims to be short.
    const endless = new Request(`http://localhost${path}`, {
      method: 'POST',
      body: stream,
      headers: { ...json, 'content-length': '10' },
      duplex: 'half',
    } as RequestInit);
    expect((await app.fetch(endless)).status).toBe(413);
    expect(sent).toBeLessThan(4 * 1024 * 1024);
    expect(jobs).toEqual([]);
  });

  test('is refused when it is compressed, has endless headers, or is no POST', async () => {
    const { app } = setUp();
    const send = (init: RequestInit) => app.request(path, { method: 'POST', body: '{}', ...init });
    expect((await send({ headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
    expect((await send({ headers: { x: 'y'.repeat(40_000) } })).status).toBe(431);
    expect((await app.request(path)).status).toBe(405);
  });
});
