import type { Row, Write } from './table.ts';

/** A row whose value is still JSON text. */
export type StoredRow = Omit<Row, 'value'> & { value: string };

/** A write whose value is JSON text. */
export type StoredWrite =
  | { put: { partition: string; sort: string; value: string; expiresAt: number } }
  | Extract<Write, { delete: unknown }>;

/** Names a row of a table. */
export interface RowKey {
  table: string;
  partition: string;
  sort: string;
}

/** A message as the queue stores it. Times are epochs in ms. */
export interface StoredMessage {
  id: number;
  group: string;
  body: string;
  receiveCount: number;
  sentAt: number;
}

/** What one waiting receiver asks for. */
export interface ReceiveRequest {
  max: number;
  visibilityMs: number;
  /** Of one folder of groups at most so many in flight. */
  share: number | undefined;
}

/** Names one handing-out of a message. */
export interface Receipt {
  id: number;
  receiveCount: number;
}

/** Everything the thread that owns the database can be asked; `now` is the caller's clock, an epoch in ms. */
export interface Operations {
  'table.get': { args: RowKey & { now: number }; result: StoredRow | undefined };
  'table.put': {
    args: RowKey & { value: string; expiresAt: number; ifVersion?: number | undefined; now: number };
    result: number | undefined;
  };
  'table.delete': { args: RowKey & { ifVersion?: number | undefined; now: number }; result: boolean };
  'table.query': {
    args: {
      table: string;
      partition: string;
      from: string;
      /** Exclusive; undefined = no bound. */
      to: string | undefined;
      reverse: boolean;
      limit: number;
      now: number;
    };
    result: StoredRow[];
  };
  'table.batch': { args: { table: string; writes: readonly StoredWrite[]; now: number }; result: undefined };
  'queue.send': {
    args: {
      queue: string;
      messages: readonly { group: string; deduplicationId: string; body: string; delayMs: number }[];
      now: number;
    };
    result: undefined;
  };
  'queue.receive': {
    args: { queue: string; requests: readonly ReceiveRequest[]; maxFailures: number; now: number };
    /** One list a request, and when the next message becomes due by the clock alone (undefined: none will). */
    result: { batches: StoredMessage[][]; nextAt: number | undefined };
  };
  /** Hides a handed-out message until `until` (an epoch in ms; not after `now`: hand it out again at once). */
  'queue.hide': {
    args: {
      queue: string;
      receipt: Receipt;
      until: number;
      /** Whether it is given back, so that this handing-out counts as no failure. */
      isReturn: boolean;
      now: number;
    };
    /** False when the receipt is out of date. */
    result: boolean;
  };
  'queue.acknowledge': { args: { queue: string; receipt: Receipt; now: number }; result: boolean };
  'queue.deadLetters': { args: { queue: string; limit: number }; result: StoredMessage[] };
  'queue.redrive': { args: { queue: string; ids: readonly number[] | undefined }; result: number };
}

/** The name of an operation. */
export type OperationName = keyof Operations;

/** How the thread runs each operation, synchronously and inside a transaction. */
export type Handlers = {
  [Name in OperationName]: (args: Operations[Name]['args']) => Operations[Name]['result'];
};

/** One request on its way to the thread. */
export interface Request {
  name: OperationName;
  args: Operations[OperationName]['args'];
}

/** What became of one request. */
export type Reply = { value: unknown } | { error: string };

/** What the thread is started with. */
export interface WorkerStart {
  directory: string;
  /** Epoch in ms. */
  now: number;
}

/** The first message of the thread. */
export type WorkerReady = { ready: true } | { failed: string };
