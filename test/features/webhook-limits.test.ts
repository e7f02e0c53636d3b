import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Strangers } from '../../lib/receive/strangers.ts';
import { signedByGitHub } from '../support/signed-by-github.ts';
import { startWebhookServer, type WebhookServer } from '../support/webhook-server.ts';

const SECRET = 'the secret of the hook';
const MIB = 1024 * 1024;
/** Far above the limits of the hasty server and far below those of a patient one. */
const SERVED_MS = 20_000;
const PAYLOAD = JSON.stringify({
  ref: 'refs/heads/main',
  after: 'a'.repeat(40),
  repository: { full_name: 'acme/fleet', clone_url: 'https://github.com/acme/fleet.git' },
});

const headersOf = (body: string, delivery: string): Record<string, string> =>
  signedByGitHub(body, delivery, SECRET).headers;

describe('the webhook edge under attack', () => {
  let server: WebhookServer;
  /** One that loses patience at once, so that a test need not wait for it. */
  let hasty: WebhookServer;
  beforeAll(async () => {
    const providers = { hub: { type: 'github' as const, secrets: async () => [SECRET] } };
    server = await startWebhookServer({ providers });
    hasty = await startWebhookServer(
      { providers, bodyTimeoutMs: 300 },
      { headersTimeout: 300, requestTimeout: 1_000, connectionsCheckingInterval: 50 },
    );
  });
  afterAll(() => Promise.all([server.stop(), hasty.stop()]));

  async function works(): Promise<void> {
    const id = crypto.randomUUID();
    const response = await fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      body: PAYLOAD,
      headers: headersOf(PAYLOAD, id),
    });
    expect(response.status).toBe(202);
  }

  /** Sends zeros until the server answers or hangs up; tells the status and how much went out. */
  function flood(total: number, headers: Record<string, string>): Promise<{ status: number; sent: number }> {
    return new Promise((resolve) => {
      let sent = 0;
      let status = 0;
      const chunk = Buffer.alloc(256 * 1024);
      const outgoing = request(`${server.url}/webhooks/github`, { method: 'POST', headers });
      const end = () => {
        outgoing.destroy();
        resolve({ status, sent });
      };
      const write = (): void => {
        while (sent < total && status === 0 && !outgoing.destroyed) {
          sent += chunk.length;
          if (!outgoing.write(chunk)) {
            outgoing.once('drain', write);
            return;
          }
        }
        if (sent >= total) outgoing.end();
      };
      outgoing.on('response', (response) => {
        status = response.statusCode ?? 0;
        response.resume();
        end();
      });
      outgoing.on('error', end);
      write();
    });
  }

  it.each([
    ['3 MiB and a byte', 3 * MIB + 1],
    ['25 MB', 25_000_000],
    ['1 GB', 1_000_000_000],
  ])('refuses an announced body of %s', async (_name, size) => {
    const { status, sent } = await flood(size, { 'content-length': String(size) });
    expect(status).toBe(413);
    expect(sent).toBeLessThan(20 * MIB);
    await works();
  });

  it('refuses an endless chunked body, with memory staying flat', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const results = await Promise.all(
      Array.from({ length: 8 }, () => flood(1_000_000_000, { 'transfer-encoding': 'chunked' })),
    );
    for (const { status, sent } of results) {
      expect([413, 0]).toContain(status);
      expect(sent).toBeLessThan(50 * MIB);
    }
    expect(results.some(({ status }) => status === 413)).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MIB);
    await works();
  });

  function open(text: string): Promise<{ socket: Socket; closed: Promise<number> }> {
    return new Promise((resolve) => {
      const started = performance.now();
      const { port } = new URL(hasty.url);
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(text);
        const closed = new Promise<number>((done) => {
          socket.on('error', () => undefined);
          socket.on('close', () => done(performance.now() - started));
        });
        socket.resume();
        resolve({ socket, closed });
      });
    });
  }

  it('cuts off whoever sends headers or bodies drop by drop, while others are served', async () => {
    const slowHeaders = await open('POST /webhooks/github HTTP/1.1\r\nhost: x\r\n');
    const slowBody = await open('POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    const other = await fetch(`${hasty.url}/healthz`);
    expect(other.status).toBe(200);
    expect(await slowHeaders.closed).toBeLessThan(SERVED_MS);
    expect(await slowBody.closed).toBeLessThan(SERVED_MS);
    expect((await fetch(`${hasty.url}/healthz`)).status).toBe(200);
  });

  it('answers a hundred signed pushes at once, each once', async () => {
    const before = server.jobs.length;
    await Promise.all(Array.from({ length: 100 }, () => works()));
    expect(server.jobs).toHaveLength(before + 100);
  });

  it('limits an address that fails too often, and never what is signed, though it comes from the same address', async () => {
    const limit = new Strangers({ burst: 20, now: () => 0 });
    const limited = await startWebhookServer({
      providers: { hub: { type: 'github', secrets: async () => [SECRET] } },
      strangers: { limit, addressOf: () => '192.0.2.1' },
    });
    const post = async (headers: Record<string, string>, body = PAYLOAD) => {
      const response = await fetch(`${limited.url}/webhooks/github`, { method: 'POST', body, headers });
      return [response.status, response.headers.get('retry-after')];
    };
    const forged = { ...headersOf(PAYLOAD, 'x'), 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    for (let count = 0; count < 20; count += 1)
      expect(await post(count % 2 ? forged : {})).toEqual([401, null]);
    for (let count = 0; count < 200; count += 1)
      expect(await post(count % 2 ? forged : {})).toEqual([429, '1']);
    for (let count = 0; count < 100; count += 1) {
      expect(await post(headersOf(PAYLOAD, `signed ${count}`))).toEqual([202, null]);
    }
    expect(limited.jobs).toHaveLength(100);
    await limited.stop();
  });

  it('enqueues nothing for unauthenticated requests, however many', async () => {
    const before = server.jobs.length;
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await fetch(`${server.url}/webhooks/github`, { method: 'POST', body: PAYLOAD });
        return response.status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(server.jobs).toHaveLength(before);
  });
});
