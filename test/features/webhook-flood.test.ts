import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../functions/aws/environment.ts';
import { httpHandler } from '../../functions/aws/http-event.ts';
import { listen } from '../../functions/listen.ts';
import { openWebhook } from '../../functions/webhook.ts';
import { createWebhooks } from '../../functions/webhooks.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { silentLog } from '../../lib/log.ts';
import { placeOf } from '../../lib/pipeline/receiver-place.ts';
import { createSeal } from '../../lib/secrets/seal.ts';
import { Deliveries } from '../../lib/store/deliveries.ts';
import { Receivers } from '../../lib/store/receivers.ts';
import type { Table } from '../../lib/store/table.ts';
import { type EdgeInstallation, startEdgeInstallation } from '../support/edge-installation.ts';
import { startEdgeWorker } from '../support/edge-worker.ts';
import { type Meter, meteredTable } from '../support/metered-table.ts';
import { receiverEntry } from '../support/receiver-entry.ts';
import { testSqlite } from '../support/sqlite.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TOKEN = 'token-of-the-receiver';
const KEY = 'a key of the installation that is long enough';
const FLEET = 'storage: {key: env:SLIPWAY_KEY}\n';
const BODY = '{"ref":"refs/heads/main"}';

/** Webhooks where they are taken. */
interface Runtime {
  /** Calls a path; the answer's status. */
  call(path: string, signature: string): Promise<number>;
  /** The index behind it, not counted. */
  rows: Table;
  /** How often the index was read. */
  reads(): number;
  stop(): Promise<unknown>;
}

function headersOf(signature: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-hub-signature-256': `sha256=${signature}`,
  };
}

/** A server on one machine. */
async function startNode(): Promise<Runtime> {
  const database = await testSqlite();
  const rows = database.freshTable();
  const meter: Meter = { reads: 0, writes: 0 };
  const counted = meteredTable(rows, meter);
  const queue = { send: async () => undefined };
  const unused = () => Promise.reject(new Error('it is not needed'));
  const app = createWebhooks(
    {
      queues: { push: queue, cluster: () => queue },
      index: { deliveries: new Deliveries(counted, Date.now), receivers: new Receivers(counted) },
      http: { request: unused },
      blobs: { put: unused },
      seal: await createSeal(KEY),
      log: silentLog,
      now: Date.now,
      newId: () => crypto.randomUUID(),
    },
    { fleet: loadFleet(FLEET, { path: '/slipway.yaml' }), secret: unused },
    () => undefined,
  );
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  return {
    async call(path, signature) {
      const init = { method: 'POST', body: BODY, headers: headersOf(signature) };
      return (await fetch(`${server.url}${path}`, init)).status;
    },
    rows,
    reads: () => meter.reads,
    stop: async () => {
      await server.close();
      await database.close();
    },
  };
}

function readsOf({ calls }: EdgeInstallation): number {
  return calls.filter(({ operation }) => operation === 'Query' || operation === 'GetItem').length;
}

/** The function behind API Gateway. */
async function startLambda(): Promise<Runtime> {
  const installation = await startEdgeInstallation(FLEET, ['push', 'cluster-prod']);
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'slipway.yaml');
  await writeFile(path, FLEET);
  const { SLIPWAY_FLEET: _, ...variables } = installation.variables;
  Object.assign(process.env, variables, { SLIPWAY_KEY: KEY });
  const webhook = await openWebhook(readEnvironment({ ...variables, SLIPWAY_FLEET: path }), silentLog);
  const handler = httpHandler(async () => webhook);
  return {
    async call(rawPath, signature) {
      const answer = await handler({
        rawPath,
        rawQueryString: '',
        headers: headersOf(signature),
        body: BODY,
        isBase64Encoded: false,
        requestContext: { http: { method: 'POST' } },
      });
      return answer.statusCode;
    },
    rows: installation.rows,
    reads: () => readsOf(installation),
    async stop() {
      await webhook.close();
      await Promise.all([installation.stop(), directory.remove()]);
    },
  };
}

async function startWorker(): Promise<Runtime> {
  const installation = await startEdgeInstallation(FLEET, ['push', 'cluster-prod']);
  const worker = await startEdgeWorker({ ...installation.variables, SLIPWAY_KEY: KEY });
  return {
    async call(path, signature) {
      const init = { method: 'POST', body: BODY, headers: headersOf(signature) };
      return (await fetch(`${worker.url}${path}`, init)).status;
    },
    rows: installation.rows,
    reads: () => readsOf(installation),
    async stop() {
      await worker.stop();
      await installation.stop();
    },
  };
}

describe.each([
  ['a server', startNode],
  ['the function on AWS', startLambda],
  ['a Cloudflare Worker', startWorker],
])('a flood of calls to %s', (_name, start) => {
  const path = `/hook/${'a'.repeat(64)}`;
  const right = createHmac('sha256', TOKEN).update(BODY).digest('hex');
  const wrong = '0'.repeat(64);
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await start();
    const seal = await createSeal(KEY);
    const sealed = await seal.seal(JSON.stringify({ token: TOKEN }), placeOf('prod', 'apps', 'hub'));
    await new Receivers(runtime.rows).put(path, receiverEntry({ sealed }));
  });
  afterAll(() => runtime?.stop());

  /** The statuses of as many calls, and how often the index was read for them. */
  async function flood(to: string, signature: string): Promise<{ statuses: number[]; reads: number }> {
    const before = runtime.reads();
    const statuses = [];
    for (let count = 0; count < 10; count += 1) statuses.push(await runtime.call(to, signature));
    return { statuses: [...new Set(statuses)], reads: runtime.reads() - before };
  }

  it('that nobody listens for reads the index once', async () => {
    const guess = `/hook/${'b'.repeat(64)}`;
    expect(await flood(guess, right)).toEqual({ statuses: [404], reads: 1 });
  });

  it('with wrong signatures reads the index once, and shuts out nobody whose signature is right', async () => {
    expect(await flood(path, wrong)).toEqual({ statuses: [401], reads: 1 });
    expect(await runtime.call(path, right)).toBe(202);
    expect(await flood(path, wrong)).toEqual({ statuses: [401], reads: 0 });
  });

  it('without a path of a Receiver or a provider reads nothing', async () => {
    expect(await flood('/hook/guess', right)).toEqual({ statuses: [404], reads: 0 });
    expect(await flood('/webhooks/github', wrong)).toMatchObject({ reads: 0 });
  });
});
