import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Pool } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type ExchangeError, exchange } from '../../../lib/kube/exchange.ts';
import { fakeApiServer } from './fake-api-server.ts';

const request = { method: 'POST', path: '/x', headers: [], body: '{}', timeout: 5_000 } as const;
const pools: Pool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.destroy()));
});

function poolFor(server: string): Pool {
  const pool = new Pool(server, { connections: 1, allowH2: false });
  pools.push(pool);
  return pool;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('exchange', () => {
  it('knows that a request was not sent when no connection could be made', async () => {
    const pool = poolFor(`http://127.0.0.1:${await closedPort()}`);
    await expect(exchange(pool, { ...request, headers: [] })).rejects.toMatchObject({
      kind: 'connection',
      sent: false,
    } satisfies Partial<ExchangeError>);
  });

  it('counts a request as sent when the connection broke afterwards', async () => {
    await using api = await fakeApiServer((_request, response) => response.socket?.destroy());
    await expect(exchange(poolFor(api.server), { ...request, headers: [] })).rejects.toMatchObject({
      kind: 'connection',
      sent: true,
    } satisfies Partial<ExchangeError>);
  });

  it('does not count the wait for a free connection against the timeout', async () => {
    await using api = await fakeApiServer((_request, response) => {
      setTimeout(() => response.end('{}'), 60);
    });
    const pool = poolFor(api.server);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => exchange(pool, { ...request, headers: [], timeout: 150 })),
    );
    expect(answers.map(({ code }) => code)).toEqual([200, 200, 200, 200]);
  });

  it('never sends a request that was aborted while it waited', async () => {
    await using api = await fakeApiServer((_request, response) => {
      abort.abort();
      response.end('{}');
    });
    const abort = new AbortController();
    const pool = poolFor(api.server);
    const first = exchange(pool, { ...request, headers: [] });
    const second = exchange(pool, { ...request, headers: [], signal: abort.signal });
    await expect(second).rejects.toMatchObject({
      kind: 'aborted',
      sent: false,
    } satisfies Partial<ExchangeError>);
    expect((await first).code).toBe(200);
    expect((await exchange(pool, { ...request, headers: [] })).code).toBe(200);
    expect(api.seen).toHaveLength(2);
  });

  it('puts an answer of many pieces together', async () => {
    const text = 'ä'.repeat(200_000);
    await using api = await fakeApiServer((_request, response) => response.end(text));
    expect((await exchange(poolFor(api.server), { ...request, headers: [] })).body.toString('utf8')).toBe(
      text,
    );
  });
});
