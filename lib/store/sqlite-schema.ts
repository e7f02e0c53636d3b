import type { DatabaseSync } from 'node:sqlite';

/**
 * One entry a version of the file; `user_version` counts those that ran. Only ever append.
 *
 * Queue: `messages` holds what can be handed out (`ord` = its place in line, see `lib/queue/turns.ts`), `heads` the first message of every group
 * that has one, with the time until which it is hidden (0 = free): so a group has at most one message in flight, and
 * finding work never looks past the free heads. `delayed` holds what is not due yet.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE rows (
     tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL, value TEXT NOT NULL,
     version INTEGER NOT NULL, expires_at INTEGER NOT NULL, UNIQUE (tbl, partition, sort));
   CREATE INDEX rows_expiry ON rows (expires_at) WHERE expires_at > 0;

   CREATE TABLE messages (
     id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, grp TEXT NOT NULL, ord INTEGER NOT NULL,
     body TEXT NOT NULL, sent_at INTEGER NOT NULL, receive_count INTEGER NOT NULL DEFAULT 0);
   CREATE INDEX messages_line ON messages (queue, grp, ord);
   CREATE TABLE heads (
     queue TEXT NOT NULL, grp TEXT NOT NULL, message INTEGER NOT NULL, ord INTEGER NOT NULL,
     hidden_until INTEGER NOT NULL, PRIMARY KEY (queue, grp)) WITHOUT ROWID;
   CREATE INDEX heads_line ON heads (queue, hidden_until, ord);
   CREATE TABLE delayed (
     id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, grp TEXT NOT NULL, dedup TEXT NOT NULL,
     body TEXT NOT NULL, sent_at INTEGER NOT NULL, due_at INTEGER NOT NULL);
   CREATE INDEX delayed_due ON delayed (queue, due_at, id);
   CREATE TABLE dead (
     id INTEGER PRIMARY KEY, queue TEXT NOT NULL, grp TEXT NOT NULL, body TEXT NOT NULL,
     sent_at INTEGER NOT NULL, receive_count INTEGER NOT NULL, ord INTEGER NOT NULL);
   CREATE INDEX dead_line ON dead (queue, ord);
   CREATE TABLE seen (
     queue TEXT NOT NULL, grp TEXT NOT NULL, dedup TEXT NOT NULL, until INTEGER NOT NULL,
     PRIMARY KEY (queue, grp, dedup)) WITHOUT ROWID;
   CREATE INDEX seen_until ON seen (until);`,
  // At how many ends of a process a message was in hand, and how often it had been handed out at the last of them.
  `ALTER TABLE messages ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE messages ADD COLUMN ended_at_count INTEGER NOT NULL DEFAULT 0;`,
  // How often a message was given back for no fault of its own.
  `ALTER TABLE messages ADD COLUMN returns INTEGER NOT NULL DEFAULT 0;`,
];

/**
 * Creates or upgrades the tables.
 * @throws Error when the file was written by a newer version
 */
export function migrate(database: DatabaseSync): void {
  const { user_version: done } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (done > MIGRATIONS.length) {
    throw new Error(
      'the database was written by a newer version of Slipway: run that version or a newer one',
    );
  }
  for (let version = done; version < MIGRATIONS.length; version += 1) {
    database.exec(MIGRATIONS[version] as string);
    database.exec(`PRAGMA user_version = ${version + 1}`);
  }
}
