import { openSqlite } from '../../lib/store/sqlite.ts';

// A process to be killed: it sends, takes and acknowledges messages and writes rows as fast as it can, and prints a line for
// everything that was confirmed to it. The directory is its argument.

const sqlite = await openSqlite({ directory: process.argv[2] as string, now: Date.now });
const queue = sqlite.queue('jobs');
const table = sqlite.table('rows');

function say(what: string, id: string): void {
  process.stdout.write(`${what} ${id}\n`);
}

async function sendAll(lane: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const body = `${lane}-${count}`;
    await queue.send([{ group: `lane ${lane}`, deduplicationId: body, body }]);
    say('sent', body);
    await table.put('written', body, { body });
    say('written', body);
  }
}

async function takeAll(): Promise<never> {
  for (;;) {
    for (const message of await queue.receive({ max: 10, waitMs: 10_000, visibilityMs: 60_000 })) {
      await queue.acknowledge(message);
      say('acknowledged', message.body);
    }
  }
}

await Promise.all([sendAll(1), sendAll(2), sendAll(3), takeAll()]);
