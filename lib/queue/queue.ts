/** A message to be sent. */
export interface OutgoingMessage {
  /**
   * FIFO group: messages of a group are handed out one at a time, in order of sending. Written as a path: the queue on one machine lets
   * groups that differ before their last `/` take turns (`turns.ts`).
   */
  group: string;
  /**
   * A second message of the group with the same id within five minutes is dropped, even when the first is already done (as
   * SQS FIFO does). A delayed message counts as sent when it becomes due.
   */
  deduplicationId: string;
  /** At most 256 KiB in UTF-8. */
  body: string;
  /** Hand out no earlier than this many ms from now; does not hold back later messages of the group. Default 0, at most 15 minutes. */
  delayMs?: number;
}

/** A message handed out and not yet acknowledged. */
export interface ReceivedMessage {
  id: string;
  /** Names this handing-out; out of date once the visibility timeout has passed. */
  receipt: string;
  group: string;
  body: string;
  /** 1 the first time. */
  receiveCount: number;
  /** Epoch in ms. */
  sentAt: number;
}

/** A message that was given up: its handling failed too often, or it was in hand at too many ends of a process. */
export interface DeadLetter {
  id: string;
  group: string;
  body: string;
  receiveCount: number;
  /** Epoch in ms of its first sending. */
  sentAt: number;
}

/** Options of {@link Queue.receive}. */
export interface ReceiveOptions {
  /** 1 to 10. */
  max: number;
  /** How long to wait for a first message, in ms; 0 answers at once. */
  waitMs: number;
  /** How long the messages stay hidden from other receivers, in ms. */
  visibilityMs: number;
  /**
   * Hand out nothing of a folder of groups that has so many messages in flight already, in the hands of whomever. A queue that cannot
   * know (SQS) goes without.
   */
  share?: number;
  signal?: AbortSignal;
}

/**
 * At-least-once FIFO-per-group queue with the semantics of SQS FIFO. Implementations: `sqlite.ts`, `sqs.ts`; both pass
 * `test/contract/queue.ts`.
 */
export interface Queue {
  /** Resolves once every message is durable; throws otherwise, and then some of them may have been sent. */
  send(messages: readonly OutgoingMessage[]): Promise<void>;
  /**
   * Hands out messages of groups that have none in flight, one of each group, oldest first among those of one folder. Waits when there is none; on
   * abort it resolves with nothing, or with what was handed out at that very moment.
   */
  receive(options: ReceiveOptions): Promise<ReceivedMessage[]>;
  /**
   * To be called before a message that was handed out is begun: whether it is to be. Otherwise the queue has put it off (`later`: it comes
   * again) or aside as a dead letter (`given up`). Costs nothing for one that was not handed out several times already.
   */
  admit(message: ReceivedMessage): Promise<'begin' | 'later' | 'given up'>;
  /** Hides a message for another `visibilityMs` from now. Throws when the receipt is out of date. */
  extend(message: ReceivedMessage, visibilityMs: number): Promise<void>;
  /** The message is done. A receipt out of date is ignored: another receiver has the message now. */
  acknowledge(message: ReceivedMessage): Promise<void>;
  /**
   * The handling of a message failed. It is handed out again after `delayMs`, before the later ones of its group; when it failed too often
   * it becomes a dead letter. A receipt out of date is ignored.
   */
  fail(message: ReceivedMessage, delayMs?: number): Promise<void>;
  /**
   * Gives a message back for no fault of its own, to be handed out again after `delayMs`, before the later ones of its group. A receipt
   * out of date is ignored.
   */
  release(message: ReceivedMessage, delayMs?: number): Promise<void>;
  /** Dead letters, oldest first. */
  deadLetters(limit: number): Promise<DeadLetter[]>;
  /** Sends dead letters again (all, or those named) and returns how many. */
  redrive(ids?: readonly string[]): Promise<number>;
  close(): Promise<void>;
}
