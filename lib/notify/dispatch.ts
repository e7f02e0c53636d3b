import { messageOf } from '../core/errors.ts';
import { ForgeError } from '../forge/errors.ts';
import type { Forge } from '../forge/forge.ts';
import type { Log } from '../log.ts';
import type { Outbox, OutboxEntry } from '../store/outbox.ts';
import type { RateLimit } from './rate-limit.ts';

/** What a dispatcher works with. */
export interface DispatcherOptions {
  /** The provider's name in the fleet file. */
  destination: string;
  outbox: Pick<Outbox, 'pending' | 'sent' | 'failed'>;
  forge: Pick<Forge, 'setCommitStatus'>;
  limit: RateLimit;
  log: Log;
  /** Epoch in ms. */
  now(): number;
}

/** Sends what the outbox holds for one destination. */
export interface Dispatcher {
  /**
   * Sends everything that is due, one after the other; a second call while one runs waits for that one. Never throws.
   * Of all processes only one may run it for a destination at a time, so that a late `pending` cannot overtake a `success`.
   * @returns when to run again at the latest, in epoch ms; undefined when nothing is known to be left
   */
  run(): Promise<number | undefined>;
}

/** How many are read at once. */
const PAGE = 50;

/** Waits before another try, in ms, by the number of failed ones; the last holds from then on. */
const BACKOFF_MS = [5_000, 15_000, 60_000, 300_000, 900_000];

/** A commit that a provider does not show yet is asked for this often before it counts as gone. */
const TRIES_WHEN_GONE = 4;

/** How long a project whose credential was refused is left alone, in ms. */
const UNAUTHORIZED_PAUSE_MS = 15 * 60_000;

/** Makes the dispatcher of a destination. It keeps in memory only what saves needless calls and repeated log lines. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { destination, outbox, forge, limit, log, now } = options;
  /** Projects for which the credential was refused, so that it is said once. */
  const refused = new Set<string>();
  let pausedUntil = 0;
  let running: Promise<number | undefined> | undefined;

  async function sendAll(): Promise<number | undefined> {
    let next: number | undefined;
    const again = (at: number) => {
      next = next === undefined ? at : Math.min(next, at);
    };
    for (;;) {
      if (pausedUntil > now()) return Math.min(pausedUntil, next ?? pausedUntil);
      const entries = await outbox.pending(destination, PAGE);
      if (entries.length === 0) return next;
      for (const entry of entries) {
        const wait = limit.take();
        if (wait > 0) return Math.min(now() + wait, next ?? Number.POSITIVE_INFINITY);
        const retryAt = await send(entry);
        if (retryAt !== undefined) again(retryAt);
        if (pausedUntil > now()) break;
      }
    }
  }

  /** Sends one; answers when to try it again, or undefined when it is done with. */
  async function send(entry: OutboxEntry): Promise<number | undefined> {
    const { status } = entry;
    try {
      await forge.setCommitStatus(status);
    } catch (error) {
      return failed(entry, error);
    }
    if (refused.delete(status.project))
      log.info({ destination, project: status.project }, 'commit statuses can be written again');
    await outbox.sent(entry);
    return undefined;
  }

  async function failed(entry: OutboxEntry, error: unknown): Promise<number | undefined> {
    const { project, commit, context } = entry.status;
    const fields = { destination, project, commit, context, error: messageOf(error) };
    const kind = error instanceof ForgeError ? error.kind : 'transient';
    const wait = error instanceof ForgeError ? error.retryAfter : undefined;
    const backoff = BACKOFF_MS[Math.min(entry.attempts, BACKOFF_MS.length - 1)] ?? 0;

    if (kind === 'rate-limited') {
      pausedUntil = now() + (wait ?? backoff);
      log.warn({ ...fields, waitMs: pausedUntil - now() }, 'the provider limits commit statuses; waiting');
      return pausedUntil;
    }
    if (kind === 'rejected' || (kind === 'gone' && entry.attempts + 1 >= TRIES_WHEN_GONE)) {
      const why = kind === 'gone' ? 'its commit or repository is gone' : 'the provider refuses it';
      log.warn(fields, `a commit status was dropped: ${why}`);
      await outbox.failed(entry, undefined);
      return undefined;
    }
    let retryAt = now() + Math.max(backoff, wait ?? 0);
    if (kind === 'unauthorized') {
      retryAt = now() + UNAUTHORIZED_PAUSE_MS;
      if (!refused.has(project)) log.error(fields, 'commit statuses cannot be written; check the credential');
      refused.add(project);
    } else {
      log.warn({ ...fields, retryInMs: retryAt - now() }, 'a commit status could not be sent yet');
    }
    await outbox.failed(entry, retryAt);
    return retryAt;
  }

  return {
    run() {
      running ??= sendAll()
        .catch((error: unknown) => {
          log.error({ destination, error }, 'the outbox could not be read or written');
          return now() + (BACKOFF_MS[0] ?? 0);
        })
        .finally(() => {
          running = undefined;
        });
      return running;
    },
  };
}
