import type { DatabaseSync } from 'node:sqlite';

/** A message that was in hand so often when a process ended may be what ended it. */
const SUSPECT_COUNT = 3;

/** So long after another such messages are handed out, in ms: one that ends the process must not take the others along each time. */
const APART_MS = 10_000;

/**
 * Frees the messages that the process before this one had in hand: nobody else can have the file open, so they need not wait. Those that
 * have been there at several ends of a process in a row come one by one, the worst first. All at once they would be counted as
 * handed out at each further end, and become dead letters along with the one that is to blame.
 * @param now epoch in ms
 */
export function freeAfterRestart(database: DatabaseSync, now: number): void {
  const suspects = database
    .prepare(
      `SELECT heads.queue, heads.grp AS "group" FROM heads JOIN messages ON messages.id = heads.message
       WHERE hidden_until > 0 AND receive_count >= :count ORDER BY receive_count DESC, heads.ord, heads.queue`,
    )
    .all({ count: SUSPECT_COUNT }) as { queue: string; group: string }[];
  database.exec('UPDATE heads SET hidden_until = 0 WHERE hidden_until > 0');
  const hide = database.prepare(
    'UPDATE heads SET hidden_until = :until WHERE queue = :queue AND grp = :group',
  );
  for (const [place, { queue, group }] of suspects.entries())
    if (place > 0) hide.run({ queue, group, until: now + place * APART_MS });
}
