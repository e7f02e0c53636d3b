import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendResult } from '../../../lib/pipeline/image-results.ts';
import type { Run } from '../../../lib/pipeline/run.ts';
import type { OutgoingMessage } from '../../../lib/queue/queue.ts';
import type { Table } from '../../../lib/store/table.ts';
import { failingTable } from '../../support/failing-table.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

const POLICY = { group: 'image.toolkit.fluxcd.io', kind: 'ImagePolicy', namespace: 'apps', name: 'app' };

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

/** A run that can send, and what it has sent. */
function runOn(rows: Table, trigger = 'due'): { run: Run; sent: string[] } {
  const sent: string[] = [];
  const queue = {
    send: async (messages: readonly OutgoingMessage[]) =>
      void sent.push(...messages.map(({ group }) => group)),
  };
  const ctx = { index: { rows }, queues: { cluster: () => queue }, now: () => 1, newId: () => 'id' };
  const ref = { ...POLICY, kind: 'ImageRepository' };
  return { run: { ctx, ref, job: { cluster: 'prod', trigger } } as unknown as Run, sent };
}

const receivers = async () => [POLICY];

test('a result is sent on once, another one again, and any when somebody asks', async () => {
  const rows = parts.freshTable();
  const { run, sent } = runOn(rows);
  expect(await sendResult(run, '1', receivers)).toBe(true);
  expect(await sendResult(run, '1', receivers)).toBe(false);
  expect(await sendResult(run, '2', receivers)).toBe(true);
  expect(sent).toEqual(Array(2).fill('prod/image.toolkit.fluxcd.io/ImagePolicy/apps/app'));
  const asked = runOn(rows, 'request');
  expect(await sendResult(asked.run, '2', receivers)).toBe(true);
  expect(asked.sent).toHaveLength(1);
});

test('a result that was sent by a process that died before it could note so is sent again', async () => {
  const rows = parts.freshTable();
  const dying = runOn(failingTable(rows, 0));
  await expect(sendResult(dying.run, '1', receivers)).rejects.toThrow();
  expect(dying.sent).toHaveLength(1);
  const next = runOn(rows);
  expect(await sendResult(next.run, '1', receivers)).toBe(true);
  expect(next.sent).toHaveLength(1);
});
