import type { Table } from '../store/table.ts';
import type { ReceivedMessage } from './queue.ts';

/** A message that was handed out so often and not done may be what ends the process. */
const SUSPECT = 3;

/**
 * One that ends the process so many times more, with nothing else beside it that may be to blame, is given up: with those before it the
 * same number as on one machine (`sqlite-restart.ts`).
 */
const MOST_ENDS_ALONE = 7;

/** So long one waits that may not be begun yet, in ms, for each time that it was handed out beyond {@link SUSPECT}; at most five minutes. */
const APART_MS = 10_000;
const LONGEST_APART_MS = 300_000;

/** As long as queues keep a message, in ms. */
const KEPT_MS = 14 * 86_400_000;

/** Where it is kept how messages fared. */
export interface TriesTable {
  table: Pick<Table, 'get' | 'put'>;
  partition: string;
}

/** What is kept of a message that gave trouble. */
interface Tries {
  failures: number;
  /** How often it was begun alone without that anything was heard of it again. */
  ends: number;
}

/** Whether a message is to be begun, comes too early, or has ended too many processes. */
export type Admission = 'begin' | 'later' | 'give up';

/**
 * How often messages of a queue in SQS failed. SQS counts how often it handed a message out, and so counts against it the end of a
 * process that had it in hand, a refusal of Lambda's, and a failure of the message before it in its group. Here only failures count, and
 * ends at which nothing else can be to blame: what was handed out several times is begun one by one in a process, so that a job which
 * ends it takes no other along. Nothing is asked of the table for a message that is new and does not fail.
 */
export class SqsTries {
  readonly #rows: TriesTable;
  readonly #now: () => number;
  /** The receipt of the suspect that is under way in this process. */
  #underWay: string | undefined;

  /** @param now epoch in ms */
  constructor(rows: TriesTable, now: () => number) {
    this.#rows = rows;
    this.#now = now;
  }

  /** Before a message is begun. That it is, counts as an end until {@link failed} or {@link returned} say otherwise, or it is done. */
  async admit({ id, receipt, receiveCount }: ReceivedMessage): Promise<Admission> {
    if (receiveCount <= SUSPECT) return 'begin';
    if (this.#underWay !== undefined) return 'later';
    this.#underWay = receipt;
    try {
      const tries = await this.#read(id);
      if (tries.ends < MOST_ENDS_ALONE) {
        await this.#write(id, { ...tries, ends: tries.ends + 1 });
        return 'begin';
      }
    } catch (error) {
      this.#underWay = undefined;
      throw error;
    }
    this.#underWay = undefined;
    return 'give up';
  }

  /** How long a message waits that comes too early, in ms. */
  apart({ receiveCount }: ReceivedMessage): number {
    return Math.min(APART_MS * Math.max(receiveCount - SUSPECT, 1), LONGEST_APART_MS);
  }

  /** The handling of a message failed. @returns how often it has by now */
  async failed({ id, receipt }: ReceivedMessage): Promise<number> {
    const wasAlone = this.#leave(receipt);
    const { failures, ends } = await this.#read(id);
    await this.#write(id, { failures: failures + 1, ends: ends - (wasAlone ? 1 : 0) });
    return failures + 1;
  }

  /** A message is given back for no fault of its own. */
  async returned({ id, receipt }: ReceivedMessage): Promise<void> {
    if (!this.#leave(receipt)) return;
    const { failures, ends } = await this.#read(id);
    await this.#write(id, { failures, ends: ends - 1 });
  }

  /** A message is done. */
  done({ receipt }: ReceivedMessage): void {
    this.#leave(receipt);
  }

  #leave(receipt: string): boolean {
    if (this.#underWay !== receipt) return false;
    this.#underWay = undefined;
    return true;
  }

  async #read(id: string): Promise<Tries> {
    const { table, partition } = this.#rows;
    return (await table.get<Tries>(partition, id))?.value ?? { failures: 0, ends: 0 };
  }

  async #write(id: string, { failures, ends }: Tries): Promise<void> {
    const { table, partition } = this.#rows;
    const tries: Tries = { failures, ends: Math.max(ends, 0) };
    await table.put(partition, id, tries, { expiresAt: this.#now() + KEPT_MS });
  }
}
