import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqlite } from '../../../lib/store/sqlite.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

test('a waiting receiver gets a delayed message when it becomes due, by one timer', async () => {
  const { sqlite, clock } = parts;
  const queue = sqlite.queue('delayed');
  await queue.send([{ group: 'a', deduplicationId: '1', body: 'x', delayMs: 7_000 }]);
  const waiting = queue.receive({ max: 1, waitMs: 20_000, visibilityMs: 30_000 });
  // The look that finds nothing must be over before time goes on.
  await sqlite.table('any').get('p', 's');
  await new Promise(setImmediate);
  clock.advance(7_000);
  expect(await waiting).toMatchObject([{ body: 'x' }]);
});

test('a waiting receiver gets a message whose holder did not come back', async () => {
  const { sqlite, clock } = parts;
  const queue = sqlite.queue('lost');
  await queue.send([{ group: 'a', deduplicationId: '1', body: 'x' }]);
  await queue.receive({ max: 1, waitMs: 0, visibilityMs: 5_000 });
  const waiting = queue.receive({ max: 1, waitMs: 20_000, visibilityMs: 30_000 });
  await sqlite.table('any').get('p', 's');
  await new Promise(setImmediate);
  clock.advance(5_000);
  expect(await waiting).toMatchObject([{ body: 'x', receiveCount: 2 }]);
});

test('ten thousand waiting messages, most of them of one busy group, do not slow down the others', async () => {
  const queue = parts.sqlite.queue('long');
  const busy = Array.from({ length: 10_000 }, (_, index) => {
    return { group: 'busy', deduplicationId: `${index}`, body: `${index}` };
  });
  const own = Array.from({ length: 300 }, (_, index) => {
    return { group: `own ${index}`, deduplicationId: '1', body: `own ${index}` };
  });
  await queue.send([...busy, ...own]);
  const [head] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
  expect(head?.body).toBe('0');
  const bodies: string[] = [];
  for (;;) {
    const batch = await queue.receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    if (batch.length === 0) break;
    bodies.push(...batch.map(({ body }) => body));
    await Promise.all(batch.map((message) => queue.acknowledge(message)));
  }
  expect(bodies).toEqual(own.map(({ body }) => body));
}, 60_000);

test('hands out no more of a folder than its share, and goes on as soon as one is done', async () => {
  const queue = parts.sqlite.queue('shares');
  const message = (group: string) => ({ group, body: group, deduplicationId: group });
  await queue.send(['noisy/1', 'noisy/2', 'noisy/3', 'quiet/1'].map(message));
  const options = { max: 10, share: 2, waitMs: 0, visibilityMs: 30_000 };
  const taken = await queue.receive(options);
  expect(taken.map(({ body }) => body).sort()).toEqual(['noisy/1', 'noisy/2', 'quiet/1']);
  expect(await queue.receive(options)).toEqual([]);
  const waiting = queue.receive({ ...options, waitMs: 20_000 });
  const [first] = taken.filter(({ group }) => group === 'noisy/1');
  if (first) await queue.acknowledge(first);
  expect((await waiting).map(({ body }) => body)).toEqual(['noisy/3']);
});

test('folders of groups take turns, each in its order, also after a restart', async () => {
  const directory = await temporaryDirectory();
  const { now, timers } = parts.clock;
  const open = () => openSqlite({ directory: directory.path, now, timers, maxFailures: 3 });
  const message = (group: string, body: string) => ({ group, body, deduplicationId: body });
  const first = await open();
  await first
    .queue('jobs')
    .send(['1', '2', '3', '4', '5'].map((body) => message(`noisy/${body}`, `noisy ${body}`)));
  await first.queue('jobs').send(['1', '2'].map((body) => message(`quiet/${body}`, `quiet ${body}`)));
  const [before] = await first.queue('jobs').receive({ max: 1, waitMs: 0, visibilityMs: 30_000 });
  await first.close();

  const second = await open();
  const queue = second.queue('jobs');
  await queue.send([message('noisy/1', 'noisy 1 again'), message('new/1', 'new 1')]);
  const bodies = [before?.body];
  for (;;) {
    const [next] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 30_000 });
    if (!next) break;
    bodies.push(next.body);
    await queue.acknowledge(next);
  }
  await second.close();
  await directory.remove();
  // What was in flight when the process ended is handed out again, and before what was sent to its group after it.
  expect(bodies.filter((body) => body?.startsWith('noisy'))).toEqual(
    ['1', '1', '2', '3', '4', '5', '1 again'].map((body) => `noisy ${body}`),
  );
  expect(bodies.indexOf('quiet 1')).toBeLessThanOrEqual(2);
  expect(bodies.indexOf('new 1')).toBeLessThanOrEqual(4);
  expect(bodies.indexOf('quiet 2')).toBeLessThan(bodies.indexOf('noisy 4'));
});
