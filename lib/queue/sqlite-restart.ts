import type { DatabaseSync } from 'node:sqlite';

/**
 * A message that was in hand at so many ends of a process is given up. An end says less than a failure does: most of what was in hand then
 * has nothing to do with it.
 */
export const MOST_ENDS = 10;

/** A message that was in hand at so many of them may be what ends the process. */
const SUSPECT = 3;

/** So long after another such messages are handed out, in ms: one that ends the process must not take the others along each time. */
const APART_MS = 10_000;

/**
 * Frees the messages that the process before this one had in hand: nobody else can have the file open, so they need not wait. Those that
 * have been there at several ends of a process come one by one, the worst first. All at once they would be there again at each further end,
 * and be given up along with the one that is to blame.
 * @param now epoch in ms
 */
export function freeAfterRestart(database: DatabaseSync, now: number): void {
  // Those that were not handed out since the last end were only waiting for their turn after it.
  database.exec(
    `UPDATE messages SET ends = ends + 1, ended_at_count = receive_count
     WHERE receive_count > ended_at_count AND id IN (SELECT message FROM heads WHERE hidden_until > 0)`,
  );
  const suspects = database
    .prepare(
      `SELECT heads.queue, heads.grp AS "group" FROM heads JOIN messages ON messages.id = heads.message
       WHERE hidden_until > 0 AND ends >= :suspect ORDER BY ends DESC, heads.ord, heads.queue`,
    )
    .all({ suspect: SUSPECT }) as { queue: string; group: string }[];
  database.exec('UPDATE heads SET hidden_until = 0 WHERE hidden_until > 0');
  const hide = database.prepare(
    'UPDATE heads SET hidden_until = :until WHERE queue = :queue AND grp = :group',
  );
  for (const [place, { queue, group }] of suspects.entries())
    if (place > 0) hide.run({ queue, group, until: now + place * APART_MS });
}
