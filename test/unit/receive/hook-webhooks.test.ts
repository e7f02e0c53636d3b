import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { HookJob } from '../../../lib/core/job.ts';
import { createLog, silentLog } from '../../../lib/log.ts';
import { createWebhookApp } from '../../../lib/receive/app.ts';
import type { HookReceiver, HookWebhookOptions } from '../../../lib/receive/hook-webhooks.ts';
import type { StrangersLimit } from '../../../lib/receive/refuse.ts';
import { RefusedPaths } from '../../../lib/receive/refused-paths.ts';
import { Strangers } from '../../../lib/receive/strangers.ts';
import { memoryDeliveries } from '../../support/memory-deliveries.ts';
import { noTokens } from '../../support/oidc-issuer.ts';
import { receiverEntry } from '../../support/receiver-entry.ts';

const TOKEN = 'token-of-the-receiver';
const PATH = `/hook/${'a'.repeat(64)}`;

function receiver(changes: Partial<HookReceiver> = {}): HookReceiver {
  return { ...receiverEntry(), secret: async () => ({ token: TOKEN }), ...changes };
}

function setUp(
  receivers: HookReceiver[],
  options: Partial<HookWebhookOptions> = {},
  strangers?: StrangersLimit,
) {
  const jobs: HookJob[] = [];
  const lines: string[] = [];
  const deliveries = memoryDeliveries();
  const clock = { now: 1_000 };
  const reads: string[] = [];
  const app = createWebhookApp({
    providers: {},
    enqueue: async () => undefined,
    hooks: {
      async find(path) {
        reads.push(path);
        return path === PATH ? [...receivers] : [];
      },
      refused: new RefusedPaths({ now: () => clock.now }),
      tokens: noTokens,
      checkClaims: async () => [],
      enqueue: async (job) => void jobs.push(job),
      ...options,
    },
    deliveries,
    ...(strangers ? { strangers } : {}),
    log: createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(line), now: () => 0 }),
    now: () => clock.now,
  });
  async function call(body = '{"ref":"x"}', headers: Record<string, string> = {}, path = PATH) {
    const signature = createHmac('sha256', TOKEN).update(body).digest('hex');
    return app.request(path, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': 'd1',
        'x-hub-signature-256': `sha256=${signature}`,
        ...headers,
      },
    });
  }
  return { app, call, jobs, lines, deliveries, clock, reads };
}

describe('the webhook of a Receiver', () => {
  test('becomes a job that names the Receiver, with the body only where filters look at it', async () => {
    const plain = setUp([receiver()]);
    const answer = await plain.call();
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as { id: string };
    const job = {
      type: 'hook',
      cluster: 'prod',
      namespace: 'apps',
      name: 'hub',
      receiver: 'github',
      receivedAt: 1_000,
    };
    expect(plain.jobs).toEqual([{ ...job, origin: { id } }]);
    const filtered = setUp([receiver({ wantsRequest: true })]);
    await filtered.call();
    expect(filtered.jobs).toEqual([{ ...job, origin: { id }, request: { ref: 'x' } }]);
  });

  test('is refused without the right signature, and nothing is done then', async () => {
    const { call, jobs, deliveries } = setUp([receiver()]);
    for (const signature of ['', 'sha256=', `sha256=${'0'.repeat(64)}`, 'sha1=abc', 'x'.repeat(10_000)])
      expect((await call(undefined, { 'x-hub-signature-256': signature })).status).toBe(401);
    expect([jobs, deliveries.done.size]).toEqual([[], 0]);
  });

  test('does not exist at any other path, nor with a query in place of one', async () => {
    const { call } = setUp([receiver()]);
    for (const path of [
      '/hook',
      '/hook/',
      `${PATH}/x`,
      `/hook/${'b'.repeat(64)}`,
      `/hook/%61${'a'.repeat(61)}`,
      '/hook/..',
    ])
      expect((await call(undefined, {}, path)).status, path).toBe(404);
    expect((await call(undefined, {}, `${PATH}?a=b`)).status).toBe(202);
  });

  test('is turned away while the Receiver is suspended, not ready, or of a type that is not known', async () => {
    for (const change of [
      { state: 'suspended' },
      { state: 'not-ready' },
      { type: 'new' },
      { type: '__proto__' },
    ] as const) {
      const { call, jobs } = setUp([receiver(change)]);
      expect((await call()).status).toBe(503);
      expect(jobs).toEqual([]);
    }
  });

  test('is for every cluster that has an equal Receiver, each verified by its own', async () => {
    const other = receiver({ cluster: 'staging', secret: async () => ({ token: 'another' }) });
    const suspended = receiver({ cluster: 'old', state: 'suspended' });
    const { call, jobs } = setUp([receiver(), receiver({ cluster: 'test' }), other, suspended]);
    const answer = await call();
    expect(((await answer.json()) as { ids: string[] }).ids).toHaveLength(2);
    expect(jobs.map(({ cluster }) => cluster)).toEqual(['prod', 'test']);
  });

  test('reaches the others when the secret of one cannot be opened, which the log tells', async () => {
    const broken = receiver({
      cluster: 'broken',
      secret: () => Promise.reject(new Error('sealed with another key')),
    });
    const both = setUp([broken, receiver()]);
    expect((await both.call()).status).toBe(202);
    expect(both.lines.join()).toContain('sealed with another key');
    const alone = setUp([broken]);
    expect((await alone.call()).status).toBe(503);
  });

  test('is answered 503 when its job could not be stored, and done when it is delivered again', async () => {
    let broken = true;
    const stored: HookJob[] = [];
    const { call, deliveries } = setUp([receiver()], {
      enqueue: async (job) => {
        if (broken) throw new Error('the queue is down');
        stored.push(job);
      },
    });
    const failed = await call();
    expect([failed.status, failed.headers.get('retry-after'), deliveries.done.size]).toEqual([503, '30', 0]);
    broken = false;
    expect((await call()).status).toBe(202);
    expect((await call()).status).toBe(202);
    expect(stored).toHaveLength(1);
  });

  test('counts again with another body or without an id of the sender', async () => {
    const signed = setUp([receiver()]);
    await signed.call('{"a":1}');
    await signed.call('{"a":2}');
    expect(signed.jobs).toHaveLength(2);
    const generic = setUp([receiver({ type: 'generic' })]);
    await generic.call('', { 'x-github-delivery': 'same' });
    generic.clock.now += 1;
    await generic.call('', { 'x-github-delivery': 'same' });
    expect(new Set(generic.jobs.map(({ origin }) => origin.id)).size).toBe(2);
  });

  test.each([
    ['no JSON', '{"ref":'],
    ['a key twice', '{"ref":1,"ref":2}'],
    ['__proto__', '{"a":{"__proto__":{"polluted":true}}}'],
    ['half a character', '{"ref":"\\ud800"}'],
    ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['null', 'null'],
    ['a list', '[{}]'],
    ['nothing', ''],
  ])('answers signed %s with 400 or 401, and is not changed by it', async (_name, body) => {
    const { call, jobs } = setUp([receiver({ wantsRequest: true })]);
    expect([400, 401]).toContain((await call(body)).status);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(jobs).toEqual([]);
  });

  test('takes the payload of a form as GitHub sends it', async () => {
    const { call, jobs } = setUp([receiver({ wantsRequest: true })]);
    const form = new URLSearchParams({ payload: '{"ref":"x"}' }).toString();
    expect((await call(form, { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(202);
    expect(jobs[0]?.request).toEqual({ ref: 'x' });
  });

  test('waits for no cluster: with 1,500 Receivers at one path all jobs are stored before the answer', async () => {
    const many = Array.from({ length: 1_500 }, (_, index) =>
      receiver({ type: 'generic', cluster: `c${index}` }),
    );
    const { call, jobs } = setUp(many);
    expect((await call()).status).toBe(202);
    expect(jobs).toHaveLength(1_500);
  });

  test('is refused over 3 MiB, whatever it says of its size, and when it is compressed', async () => {
    const { app, call, jobs } = setUp([receiver({ type: 'generic' })]);
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
    });
    const headers = { 'content-length': '10' };
    const request = { method: 'POST', body: endless, headers, duplex: 'half' } as RequestInit;
    expect((await app.fetch(new Request(`http://localhost${PATH}`, request))).status).toBe(413);
    expect((await call('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await app.request(PATH)).status).toBe(405);
    expect(jobs).toEqual([]);
  });

  test('is answered 429 after too many guesses from one address, where valid calls still get through', async () => {
    const limit = new Strangers({ now: () => 1_000, burst: 2 });
    const { call, lines } = setUp([receiver()], {}, { limit, addressOf: () => '192.0.2.1' });
    const guess = `/hook/${'b'.repeat(64)}`;
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await call(undefined, {}, guess)).status);
    statuses.push((await call(undefined, { 'x-hub-signature-256': 'sha256=x' })).status);
    expect(statuses).toEqual([404, 404, 429, 429]);
    expect((await call()).status).toBe(202);
    expect(lines.filter((line) => line.includes('192.0.2.1'))).toHaveLength(1);
    expect(lines.join()).not.toMatch(/aaaa|bbbb/);
  });

  test('that is guessed again and again is looked up once in ten seconds, and not at all where it cannot be one', async () => {
    const { call, clock, reads } = setUp([receiver()]);
    const guess = `/hook/${'b'.repeat(64)}`;
    for (let count = 0; count < 50; count += 1) expect((await call(undefined, {}, guess)).status).toBe(404);
    expect(reads).toEqual([guess]);
    clock.now += 9_999;
    await call(undefined, {}, guess);
    expect(reads).toHaveLength(1);
    clock.now += 1;
    await call(undefined, {}, guess);
    expect(reads).toHaveLength(2);
    await call(undefined, {}, '/hook/no-digest');
    expect(reads).toHaveLength(2);
  });

  test('that is called with a wrong signature again and again is looked up once in ten seconds', async () => {
    const { call, clock, reads } = setUp([receiver()]);
    const forge = () => call(undefined, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` });
    for (let count = 0; count < 50; count += 1) expect((await forge()).status).toBe(401);
    expect(reads).toHaveLength(1);
    clock.now += 10_000;
    await forge();
    expect(reads).toHaveLength(2);
  });

  test('is reached ten seconds after it came to be at the latest, however often it was called in vain', async () => {
    const receivers: HookReceiver[] = [];
    const { call, clock, jobs } = setUp(receivers);
    expect((await call()).status).toBe(404);
    receivers.push(receiver());
    for (const ms of [3_000, 3_000, 3_000]) {
      clock.now += ms;
      expect((await call()).status).toBe(404);
    }
    clock.now += 1_000;
    expect((await call()).status).toBe(202);
    expect(jobs).toHaveLength(1);
  });

  test('lets nobody in by what is remembered of it, since it may be suspended or gone meanwhile', async () => {
    const receivers = [receiver()];
    const { call, jobs, reads } = setUp(receivers);
    expect((await call('{"a":1}', { 'x-hub-signature-256': 'sha256=x' })).status).toBe(401);
    receivers[0] = receiver({ state: 'suspended' });
    expect((await call()).status).toBe(503);
    receivers.length = 0;
    expect((await call()).status).toBe(404);
    expect(jobs).toEqual([]);
    receivers.push(receiver({ type: 'generic' }));
    expect((await call()).status).toBe(404);
    const other = setUp([receiver()]);
    await other.call(undefined, { 'x-hub-signature-256': 'sha256=x' });
    expect((await other.call()).status).toBe(202);
    expect([other.reads.length, other.jobs.length, reads.length]).toEqual([2, 1, 3]);
  });

  test('is open again at once after it was suspended', async () => {
    const receivers = [receiver({ state: 'suspended' })];
    const { call } = setUp(receivers);
    expect((await call()).status).toBe(503);
    receivers[0] = receiver();
    expect((await call()).status).toBe(202);
  });

  test('matches events without regard to case, and those of CDEvents with or without version', async () => {
    const event = {
      context: {
        version: '0.4.1',
        id: '1',
        source: 's',
        type: 'dev.cdevents.change.merged.0.2.0',
        timestamp: '2026-01-01T00:00:00Z',
      },
      subject: { id: 'x', content: {} },
    };
    const status = async (events: string[]) =>
      (await setUp([receiver({ type: 'cdevents', events })]).call(JSON.stringify(event))).status;
    expect(await status(['dev.cdevents.change.merged'])).toBe(202);
    expect(await status(['DEV.cdevents.change.merged.0.2.0'])).toBe(202);
    expect(await status(['dev.cdevents.change'])).toBe(204);
    expect(await status(['dev.cdevents.change.merged.0.1.0'])).toBe(204);
  });
});

test('without Receivers their paths do not exist', async () => {
  const app = createWebhookApp({
    providers: {},
    enqueue: async () => undefined,
    deliveries: memoryDeliveries(),
    log: silentLog,
    now: () => 0,
  });
  expect((await app.request(PATH, { method: 'POST' })).status).toBe(404);
});
