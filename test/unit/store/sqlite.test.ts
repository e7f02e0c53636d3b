import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openSqlite } from '../../../lib/store/sqlite.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

// Starting threads and processes takes long on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

describe('a database directory', () => {
  let parts: TestSqlite;
  beforeEach(async () => {
    parts = await testSqlite();
  });
  afterEach(() => parts.close());

  test('belongs to one process at a time, and the second learns whose it is', async () => {
    const second = openSqlite({ directory: parts.directory, now: parts.clock.now });
    await expect(second).rejects.toThrow(`The data directory ${parts.directory} is in use`);
    await expect(second).rejects.toThrow(`process ${process.pid}`);
    await parts.sqlite.table('rows').put('p', 's', 1);
  });

  test('is readable by its owner alone', async () => {
    expect((await stat(parts.directory)).mode & 0o077).toBe(0);
  });

  test('keeps messages and rows over a restart, and frees what the process before held', async () => {
    const { sqlite, clock, directory } = parts;
    const queue = sqlite.queue('jobs');
    await queue.send([
      { group: 'a', deduplicationId: '1', body: 'held' },
      { group: 'b', deduplicationId: '2', body: 'waiting' },
      { group: 'c', deduplicationId: '3', body: 'delayed', delayMs: 5_000 },
    ]);
    const [held] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
    await sqlite.table('rows').put('p', 's', { x: 1 });
    await sqlite.close();
    const again = await openSqlite({ directory, now: clock.now, timers: clock.timers });
    const received = await again.queue('jobs').receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    expect(received.map(({ body, receiveCount }) => [body, receiveCount])).toEqual([
      ['held', 2],
      ['waiting', 1],
    ]);
    expect(received[0]?.receipt).not.toBe(held?.receipt);
    clock.advance(5_000);
    expect(await again.queue('jobs').receive({ max: 1, waitMs: 0, visibilityMs: 60_000 })).toMatchObject([
      { body: 'delayed' },
    ]);
    await again.queue('jobs').send([{ group: 'd', deduplicationId: '1', body: 'fresh' }]);
    await again.queue('jobs').send([{ group: 'a', deduplicationId: '1', body: 'again' }]);
    for (const message of received) await again.queue('jobs').acknowledge(message);
    const rest = await again.queue('jobs').receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    expect(rest.map(({ body }) => body)).toEqual(['fresh']);
    expect((await again.table('rows').get('p', 's'))?.value).toEqual({ x: 1 });
    await again.close();
  });

  test('keeps queues and tables of different names apart', async () => {
    const { sqlite } = parts;
    await sqlite.queue('one').send([{ group: 'a', deduplicationId: '1', body: 'x' }]);
    await sqlite.table('one').put('p', 's', 1);
    expect(await sqlite.queue('two').receive({ max: 1, waitMs: 0, visibilityMs: 1_000 })).toEqual([]);
    expect(await sqlite.table('two').get('p', 's')).toBeUndefined();
    expect(sqlite.queue('one')).toBe(sqlite.queue('one'));
  });

  test('refuses everything after it was closed, naming the directory, and ends waiting receives', async () => {
    const { sqlite, directory } = parts;
    const waiting = sqlite.queue('jobs').receive({ max: 1, waitMs: 60_000, visibilityMs: 1_000 });
    const last = sqlite.table('rows').put('p', 's', 1);
    await sqlite.close();
    expect(await waiting).toEqual([]);
    expect(await last).toBeGreaterThan(0);
    await expect(sqlite.table('rows').get('p', 's')).rejects.toThrow(`${directory} is closed`);
    const message = { group: 'a', deduplicationId: '1', body: 'x' };
    await expect(sqlite.queue('jobs').send([message])).rejects.toThrow('is closed');
    await sqlite.close();
  });
});

test('a database of a newer version is refused', async () => {
  const directory = await temporaryDirectory();
  const database = new DatabaseSync(`${directory.path}/slipway.db`);
  database.exec('PRAGMA user_version = 999');
  database.close();
  const opening = openSqlite({ directory: directory.path, now: Date.now });
  await expect(opening).rejects.toThrow(/newer version of Slipway/);
  await directory.remove();
});

test('a file that is no database is refused, naming the directory', async () => {
  const directory = await temporaryDirectory();
  await writeFile(`${directory.path}/slipway.db`, 'x'.repeat(5_000));
  await expect(openSqlite({ directory: directory.path, now: Date.now })).rejects.toThrow(directory.path);
  await directory.remove();
});

test('writes made at the same time share a commit: ten thousand take seconds, not minutes', async () => {
  const { sqlite, close } = await testSqlite();
  const table = sqlite.table('rows');
  const versions = await Promise.all(
    Array.from({ length: 10_000 }, (_, index) => table.put('p', String(index).padStart(5, '0'), index)),
  );
  expect(new Set(versions).size).toBe(10_000);
  const rows = await table.query<number>('p');
  expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  await close();
});

describe('a process that is killed', () => {
  async function runUntil(child: ChildProcess, lines: number): Promise<string[]> {
    const said: string[] = [];
    if (!child.stdout) throw new Error('the child has no output');
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (said.length === lines) child.kill('SIGKILL');
    }
    return said;
  }

  test.each([1, 50, 700])('loses nothing that was confirmed before, at line %i', async (lines) => {
    const directory = await temporaryDirectory();
    const script = new URL('../../support/sqlite-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, directory.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    // What arrives after the kill was said before it.
    const said = await runUntil(child, lines);
    expect((await exit)[1]).toBe('SIGKILL');
    const confirmed = (what: string) =>
      said.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));

    const sqlite = await openSqlite({ directory: directory.path, now: Date.now });
    const acknowledged = new Set(confirmed('acknowledged'));
    const present: string[] = [];
    for (;;) {
      const batch = await sqlite.queue('jobs').receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
      if (batch.length === 0) break;
      for (const message of batch) {
        present.push(message.body);
        await sqlite.queue('jobs').acknowledge(message);
      }
    }
    expect(present.filter((body) => acknowledged.has(body))).toEqual([]);
    expect(new Set(present).size).toBe(present.length);
    // The last acknowledgement may have been done and not said, one in each lane.
    const missing = confirmed('sent').filter((body) => !acknowledged.has(body) && !present.includes(body));
    expect(missing.length).toBeLessThanOrEqual(UNSAID);
    for (const body of confirmed('written')) {
      expect((await sqlite.table('rows').get('written', body))?.value).toEqual({ body });
    }
    await sqlite.close();
    await directory.remove();
  });
});

/** The taker acknowledges one message at a time; of the lines that it printed some may still have been in its memory. */
const UNSAID = 1;
