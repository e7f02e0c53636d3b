import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Queue, ReceivedMessage } from '../../../lib/queue/queue.ts';
import { openSqlite, type Sqlite } from '../../../lib/store/sqlite.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { QueueModel } from '../../support/queue-model.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MAX_FAILURES = 3;

/** A step of a random story. Times are chosen so that timeouts, delays and five minutes meet each other. */
type Step =
  | { do: 'send'; group: string; id: number; delayMs: number }
  | { do: 'receive'; max: number; visibilityMs: number }
  | { do: 'acknowledge' | 'fail' | 'release' | 'extend'; which: number; ms: number }
  | { do: 'advance'; ms: number }
  | { do: 'redrive' };

const times = fc.constantFrom(1, 10_000, 30_000, 60_000, 299_999, 300_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      group: fc.constantFrom('a', 'b', 'c'),
      id: fc.nat(20),
      delayMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, times),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      max: fc.integer({ min: 1, max: 4 }),
      visibilityMs: times,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['acknowledge', 'fail', 'release', 'extend'] as const)),
      which: fc.nat(30),
      ms: times,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: times }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redrive' as const) }) },
);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: FakeClock;
let sqlite: Sqlite;
let stories = 0;
beforeAll(async () => {
  directory = await temporaryDirectory();
  clock = fakeClock();
  const { now, timers } = clock;
  sqlite = await openSqlite({ directory: directory.path, now, timers, maxFailures: MAX_FAILURES });
});
afterAll(async () => {
  await sqlite.close();
  await directory.remove();
});

async function tell(queue: Queue, model: QueueModel, steps: readonly Step[]): Promise<void> {
  const handed: ReceivedMessage[] = [];
  let sent = 0;
  for (const each of steps) {
    if (each.do === 'send') {
      sent += 1;
      const { group, id, delayMs } = each;
      const message = { group, deduplicationId: String(id), body: `${group} ${sent}`, delayMs };
      model.send(message);
      await queue.send([message]);
    } else if (each.do === 'receive') {
      const { max, visibilityMs } = each;
      const received = await queue.receive({ max, visibilityMs, waitMs: 0 });
      const seen = received.map(({ group, body, receiveCount }) => ({ group, body, receiveCount }));
      expect(seen).toEqual(model.receive(max, visibilityMs));
      handed.push(...received);
    } else if (each.do === 'advance') clock.advance(each.ms);
    else if (each.do === 'redrive') {
      expect((await queue.deadLetters(100)).map(({ body }) => body)).toEqual(model.dead);
      expect(await queue.redrive()).toBe(model.redrive());
    } else {
      const message = handed[each.which % handed.length];
      if (!message) continue;
      if (each.do === 'acknowledge') {
        model.acknowledge(message);
        await queue.acknowledge(message);
      } else if (each.do === 'fail') {
        model.hide(message, each.ms - 1);
        await queue.fail(message, each.ms - 1);
      } else if (each.do === 'release') {
        model.giveBack(message, each.ms - 1);
        await queue.release(message, each.ms - 1);
      } else if (model.hide(message, each.ms)) await queue.extend(message, each.ms);
      else await expect(queue.extend(message, each.ms)).rejects.toThrow('out of date');
    }
  }
}

/** Hands out and acknowledges all that is left, in the queue and in the model. */
async function drain(queue: Queue, model: QueueModel): Promise<void> {
  for (let empty = 0; empty < 2; ) {
    const received = await queue.receive({ max: 10, visibilityMs: 1_000, waitMs: 0 });
    const expected = model.receive(10, 1_000);
    expect(received.map(({ body }) => body)).toEqual(expected.map(({ body }) => body));
    for (const message of received) await queue.acknowledge(message);
    for (const message of expected) model.acknowledge(message);
    if (received.length > 0) continue;
    empty += 1;
    clock.advance(900_000);
  }
  expect((await queue.deadLetters(100)).map(({ body }) => body)).toEqual(model.dead);
}

test('the queue in SQLite does what a list and a clock would do, in every order of events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      stories += 1;
      const queue = sqlite.queue(`story-${stories}`);
      const model = new QueueModel(clock.now, MAX_FAILURES);
      await tell(queue, model, steps);
      await drain(queue, model);
    }),
    { numRuns: 150 },
  );
}, 60_000);
