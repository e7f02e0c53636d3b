import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Job } from '../../lib/core/job.ts';
import { Deliveries } from '../../lib/store/deliveries.ts';
import { type EdgeInstallation, startEdgeInstallation } from '../support/edge-installation.ts';
import { type EdgeWorker, startEdgeWorker } from '../support/edge-worker.ts';
import { signedByGitHub } from '../support/signed-by-github.ts';

const SECRET = 'the secret of the hook';
const REGISTRY_SECRET = 'the secret of the registry';
const MIB = 1024 * 1024;
const FLEET = `providers:
  - {name: hub, type: github, webhookSecrets: [env:HUB_SECRET]}
  - {name: tea, type: gitea, url: https://git.example.com, webhookSecrets: [env:MISSING_SECRET]}
registries:
  - {name: images, type: generic, host: registry.example.com, webhookSecrets: [env:REGISTRY_SECRET]}
`;

let installation: EdgeInstallation;
let edge: EdgeWorker;
let variables: Record<string, string>;

beforeAll(async () => {
  installation = await startEdgeInstallation(FLEET);
  variables = { ...installation.variables, HUB_SECRET: SECRET, REGISTRY_SECRET };
  edge = await startEdgeWorker(variables);
});
afterAll(() => Promise.all([edge?.stop(), installation?.stop()]));

const takePushes = () => installation.take('push');

function payload(repository = 'acme/fleet'): string {
  return JSON.stringify({
    ref: 'refs/heads/main',
    after: 'a'.repeat(40),
    repository: { full_name: repository, clone_url: `https://github.com/${repository}.git` },
    pusher: { name: 'ada' },
  });
}

function signed(body: string, delivery: string): RequestInit {
  return signedByGitHub(body, delivery, SECRET);
}

/** Sends text as it is; what comes back until the end of the connection. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(edge.url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (data) => {
      answer += data.toString();
    });
    // What is not read may be answered with the end of the connection.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

/** Sends a body without end, chunk by chunk, until there is an answer. */
function flood(headers: Record<string, string>): Promise<{ status: number; sent: number }> {
  return new Promise((resolve) => {
    let sent = 0;
    let status = 0;
    const outgoing = request(`${edge.url}/webhooks/github`, { method: 'POST', headers });
    const end = () => {
      outgoing.destroy();
      resolve({ status, sent });
    };
    outgoing.on('response', (response) => {
      status = response.statusCode ?? 0;
      end();
    });
    outgoing.on('error', end);
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const write = () => {
      if (outgoing.destroyed || sent > 200 * MIB) return;
      sent += chunk.length;
      outgoing.write(chunk, () => setImmediate(write));
    };
    write();
  });
}

describe('the webhook edge in the runtime of Cloudflare Workers', () => {
  it('turns a signed push into the job that fan-out takes, and remembers the delivery in the index', async () => {
    const response = await fetch(`${edge.url}/webhooks/github`, signed(payload(), 'one'));
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    const [message, ...more] = await takePushes();
    expect(more).toEqual([]);
    const job = Job.parse(JSON.parse(message?.body ?? ''));
    expect(job).toMatchObject({
      type: 'push',
      provider: 'hub',
      project: 'acme/fleet',
      ref: 'refs/heads/main',
      commit: 'a'.repeat(40),
      origin: { id },
    });
    expect(message?.group).toBe('push/hub/acme/fleet/refs/heads/main');
    const { rows } = installation;
    const [row] = await rows.query<number>('deliveries#hub');
    expect(row?.sort).toContain('one');
    expect(await new Deliveries(rows, Date.now).isDone('hub', row?.sort ?? '')).toBe(true);
    expect(row?.expiresAt).toBeGreaterThan(Date.now());
  });

  it('turns what a registry tells of into a job for all who follow the image', async () => {
    const tell = (secret: string) =>
      fetch(`${edge.url}/webhooks/registry/generic`, {
        method: 'POST',
        body: JSON.stringify({ image: 'registry.example.com/acme/app:1.2.3' }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      });
    expect([(await tell('wrong')).status, (await tell(REGISTRY_SECRET)).status]).toEqual([401, 202]);
    const jobs = (await takePushes()).map(({ body }) => Job.parse(JSON.parse(body)));
    expect(jobs).toMatchObject([
      { type: 'image', registry: 'images', images: ['registry.example.com/acme/app'], tag: '1.2.3' },
    ]);
  });

  it('takes the same delivery again, as the edge of the other runtimes does', async () => {
    const first = await fetch(`${edge.url}/webhooks/github`, signed(payload(), 'two'));
    const again = await fetch(`${edge.url}/webhooks/github`, signed(payload(), 'two'));
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(await first.json()).toEqual(await again.json());
    await takePushes();
  });

  it('believes nothing without a signature, and no repository at another address', async () => {
    const forged = signed(payload(), 'three');
    const wrong = await fetch(`${edge.url}/webhooks/github`, { ...forged, body: payload('acme/other') });
    const elsewhere = payload().replaceAll('github.com', 'evil.example.com');
    const foreign = await fetch(`${edge.url}/webhooks/github`, signed(elsewhere, 'four'));
    const unknown = await fetch(`${edge.url}/webhooks/nothing`, signed(payload(), 'five'));
    expect([wrong.status, foreign.status, unknown.status]).toEqual([401, 403, 404]);
    expect(await takePushes()).toEqual([]);
  });

  it('refuses 3 MiB and a byte, whatever the length that is given', async () => {
    const body = 'x'.repeat(3 * MIB + 1);
    expect((await fetch(`${edge.url}/webhooks/github`, { method: 'POST', body })).status).toBe(413);
    const fits = await fetch(`${edge.url}/webhooks/github`, { method: 'POST', body: 'x'.repeat(3 * MIB) });
    expect(fits.status).toBe(401);
  });

  it('counts a body without a length while it reads it, and stops there', async () => {
    const { status, sent } = await flood({ 'transfer-encoding': 'chunked' });
    expect(status).toBe(413);
    expect(sent).toBeLessThan(100 * MIB);
    const after = await fetch(`${edge.url}/webhooks/github`, signed(payload(), 'six'));
    expect(after.status).toBe(202);
    await takePushes();
  });

  it('reads of a body no more than the length that it claims to have', async () => {
    const body = payload();
    const send = (length: number, delivery: string) => {
      const { headers } = signed(body, delivery);
      const all = { ...headers, host: 'edge', 'content-length': length, connection: 'close' };
      const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      return raw(`POST /webhooks/github HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    };
    expect(await send(10, 'short')).toMatch(/^HTTP\/1\.1 401 /);
    expect(await takePushes()).toEqual([]);
    expect(await send(body.length, 'whole')).toMatch(/^HTTP\/1\.1 202 /);
    expect(await takePushes()).toHaveLength(1);
  });

  it('asks for a redelivery while AWS cannot be reached, and does not note the delivery', async () => {
    const cut = await startEdgeWorker({ ...variables, SLIPWAY_QUEUES: 'http://127.0.0.1:1/0/slipway-' });
    try {
      const response = await fetch(`${cut.url}/webhooks/github`, signed(payload(), 'seven'));
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('30');
      const { rows } = installation;
      const sorts = (await rows.query('deliveries#hub')).map(({ sort }) => sort);
      expect(sorts.filter((sort) => sort.includes('seven'))).toEqual([]);
    } finally {
      await cut.stop();
    }
  });

  it('answers 503 and says in its log alone what is missing, and a provider without a secret lets nobody in', async () => {
    const { AWS_REGION: _, ...incomplete } = variables;
    const bare = await startEdgeWorker(incomplete);
    try {
      const response = await fetch(`${bare.url}/webhooks/github`, signed(payload(), 'eight'));
      expect(response.status).toBe(503);
      expect(await response.text()).not.toContain('AWS_REGION');
    } finally {
      await bare.stop();
    }
    const tea = await fetch(`${edge.url}/webhooks/gitea`, { method: 'POST', body: '{}' });
    expect(tea.status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
  });
});
