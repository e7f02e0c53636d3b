import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createForge } from '../../lib/forge/registry.ts';
import { createHttp } from '../../lib/http.ts';
import { silentLog } from '../../lib/log.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { createDispatcher } from '../../lib/notify/dispatch.ts';
import { createRateLimit, DEFAULT_RULES } from '../../lib/notify/rate-limit.ts';
import { Outbox, type WantedStatus } from '../../lib/store/outbox.ts';
import { openSqlite } from '../../lib/store/sqlite.ts';
import { useGitea } from '../support/cluster.ts';
import type { GiteaClient } from '../support/gitea-client.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';

describe('commit statuses on a real Gitea', () => {
  let gitea: GiteaClient;
  let repository: GiteaRepository;
  let directory: string;
  let time = Date.parse('2026-05-01T12:00:00Z');
  const now = () => time;
  const http = createHttp({
    policy: createNetworkPolicy({ allow: ['127.0.0.1'] }),
    timeoutMs: 10_000,
    maxBytes: 1_000_000,
    userAgent: 'slipway/test',
  });

  beforeAll(async () => {
    gitea = await useGitea();
    directory = await mkdtemp(join(tmpdir(), 'slipway-status-'));
    const name = `status-${crypto.randomUUID().slice(0, 8)}`;
    repository = await gitea.createRepository(name, { files: { 'a.yaml': 'a: 1' } });
  });
  afterAll(async () => {
    await repository.delete();
    await http.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** One process: it opens the store, does something with its outbox and dispatcher, and ends. */
  async function inProcess(
    options: { url?: string; token?: string },
    act: (outbox: Outbox, run: () => Promise<number | undefined>) => Promise<void>,
  ): Promise<void> {
    const sqlite = await openSqlite({ directory, now });
    const outbox = new Outbox(sqlite.table('index'), now, ['production']);
    const { run } = createDispatcher({
      destination: 'tea',
      outbox,
      forge: createForge(
        { type: 'gitea', url: options.url ?? gitea.url, token: 'env:TOKEN' },
        { http, secret: async () => options.token ?? gitea.admin.token, now },
      ),
      limit: createRateLimit(DEFAULT_RULES, now),
      log: silentLog,
      now,
    });
    try {
      await act(outbox, run);
    } finally {
      await sqlite.close();
    }
  }

  function wanted(commit: string, changes: Partial<WantedStatus>): WantedStatus {
    return {
      cluster: 'production',
      destination: 'tea',
      project: `${repository.owner}/${repository.name}`,
      commit,
      context: 'slipway/staging',
      state: 'pending',
      description: 'deploying to staging',
      targetUrl: 'https://slipway.example.org/runs/1',
      ...changes,
    };
  }

  it('go from pending to success, each once', async () => {
    const commit = await repository.commit({ 'a.yaml': 'a: 2' });
    await inProcess({}, async (outbox, run) => {
      await outbox.want(wanted(commit, {}));
      await run();
      await outbox.want(wanted(commit, { state: 'success', description: '1 changed' }));
      await outbox.want(wanted(commit, { state: 'success', description: '1 changed' }));
      await run();
      await run();
    });
    const history = await repository.statusHistory(commit);
    expect(history.map(({ status, description }) => [status, description])).toEqual([
      ['pending', 'deploying to staging'],
      ['success', '1 changed'],
    ]);
  });

  it('survive a provider that is away and a restart in between, and end with the last state', async () => {
    const commit = await repository.commit({ 'a.yaml': 'a: 3' });
    await inProcess({ url: 'http://127.0.0.1:9' }, async (outbox, run) => {
      await outbox.want(wanted(commit, {}));
      await outbox.want(wanted(commit, { context: 'slipway/production' }));
      expect(await run()).toBeGreaterThan(time);
      await outbox.want(
        wanted(commit, { state: 'failure', description: 'Deployment/apps/podinfo: not ready' }),
      );
      await run();
    });
    expect(await repository.statusHistory(commit)).toEqual([]);
    time += 60_000;
    await inProcess({}, async (_outbox, run) => {
      expect(await run()).toBeUndefined();
    });
    const shown = (await repository.statuses(commit)).map(({ context, status }) => `${context} ${status}`);
    expect(shown.sort()).toEqual(['slipway/production pending', 'slipway/staging failure']);
  });

  it('wait for a credential that works, and for nothing else', async () => {
    const commit = await repository.commit({ 'a.yaml': 'a: 4' });
    await inProcess({ token: 'revoked-token-1234' }, async (outbox, run) => {
      await outbox.want(wanted(commit, { state: 'success', description: 'done' }));
      expect(await run()).toBe(time + 15 * 60_000);
    });
    time += 15 * 60_000;
    await inProcess({}, async (_outbox, run) => {
      await run();
    });
    expect((await repository.statuses(commit)).map(({ status }) => status)).toEqual(['success']);
  });

  it('are given up for a commit that is gone', async () => {
    const commit = '1234567890'.repeat(4);
    await inProcess({}, async (outbox, run) => {
      await outbox.want(wanted(commit, {}));
      for (let next = await run(); next !== undefined; next = await run()) time = next;
      expect(await outbox.pending('tea', 10)).toEqual([]);
    });
  });
});
