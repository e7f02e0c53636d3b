import { expect, test } from 'vitest';
import { openSqlite } from '../../../lib/store/sqlite.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const NAMES = ['poison', 'one', 'two', 'three'];

test('a message that ends the process becomes a dead letter alone, not with those that were in hand beside it', async () => {
  const directory = await temporaryDirectory();
  const clock = fakeClock();
  const open = () => openSqlite({ directory: directory.path, now: clock.now, timers: clock.timers });
  let sqlite = await open();
  await sqlite.queue('jobs').send(NAMES.map((name) => ({ group: name, deduplicationId: name, body: name })));
  const done: string[] = [];
  // Whoever takes the poison ends before anything else is done; the others are done when it is not there.
  for (let life = 0; life < 30 && done.length < 3; life++) {
    const queue = sqlite.queue('jobs');
    const taken = await queue.receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    if (!taken.some(({ body }) => body === 'poison')) {
      for (const message of taken) {
        done.push(message.body);
        await queue.acknowledge(message);
      }
      clock.advance(10_000);
      continue;
    }
    await sqlite.close();
    sqlite = await open();
  }
  expect(done.toSorted()).toEqual(['one', 'three', 'two']);
  expect((await sqlite.queue('jobs').deadLetters(10)).map(({ body }) => body)).toEqual(['poison']);
  await sqlite.close();
  await directory.remove();
}, 60_000);

test('a message that fails is given up as often as it has failed, however often the process ended meanwhile', async () => {
  const directory = await temporaryDirectory();
  const clock = fakeClock();
  const open = () => openSqlite({ directory: directory.path, now: clock.now, timers: clock.timers });
  let sqlite = await open();
  await sqlite.queue('jobs').send([{ group: 'a', deduplicationId: 'a', body: 'a' }]);
  const take = async () =>
    (await sqlite.queue('jobs').receive({ max: 1, waitMs: 0, visibilityMs: 60_000 }))[0];
  // In hand at four ends, which do not count as failures.
  for (let life = 0; life < 4; life++) {
    expect(await take()).toMatchObject({ body: 'a', receiveCount: life + 1 });
    await sqlite.close();
    sqlite = await open();
  }
  for (let failure = 0; failure < 5; failure++) {
    const message = await take();
    if (message) await sqlite.queue('jobs').fail(message);
    expect(message?.body).toBe('a');
  }
  expect(await take()).toBeUndefined();
  expect(await sqlite.queue('jobs').deadLetters(10)).toHaveLength(1);
  await sqlite.close();
  await directory.remove();
}, 60_000);
