import pLimit from 'p-limit';
import type { AwsJson } from '../cloud/aws-json.ts';
import { sizeOf } from './sqs-message.ts';
import type { SqsEntry, SqsFailure } from './sqs-types.ts';
import type { Timers } from './timers.ts';

/** SQS's limits of one request. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ENTRIES = 10;
const MAX_REQUEST_BYTES = 1_000_000;

/** How often an entry is tried that SQS failed to take, and how long to wait before the second try, in ms. */
const ATTEMPTS = 4;
const BACKOFF_MS = 200;

/** Requests at a time: 1,500 messages take about 20 round trips. */
const CONCURRENCY = 8;

/**
 * Sends entries in as few requests as possible. Entries of one group go one after the other, since SQS may take the second
 * and refuse the first of one request.
 * @throws Error when SQS refuses an entry or still fails to take it after several tries
 */
export async function sendEntries(
  sqs: AwsJson,
  queueUrl: string,
  entries: readonly SqsEntry[],
  timers: Timers,
): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  for (const round of roundsOf(entries)) {
    await Promise.all(batchesOf(round).map((batch) => limit(() => sendBatch(sqs, queueUrl, batch, timers))));
  }
}

async function sendBatch(
  sqs: AwsJson,
  queueUrl: string,
  batch: readonly SqsEntry[],
  timers: Timers,
): Promise<void> {
  let left = batch;
  for (let attempt = 1; ; attempt += 1) {
    const { Failed: failed = [] } = await sqs<{ Failed?: SqsFailure[] }>('SendMessageBatch', {
      QueueUrl: queueUrl,
      Entries: left,
    });
    if (failed.length === 0) return;
    const refused = failed.find(({ SenderFault }) => SenderFault);
    if (refused || attempt === ATTEMPTS) {
      const { Code, Message } = refused ?? failed[0] ?? {};
      throw new Error(
        `SQS did not take ${failed.length} of ${batch.length} messages for ${queueUrl}: ${Code} ${Message ?? ''}`,
      );
    }
    const ids = new Set(failed.map(({ Id }) => Id));
    left = left.filter(({ Id }) => ids.has(Id));
    await new Promise<void>((resolve) => timers.set(resolve, BACKOFF_MS * 2 ** (attempt - 1)));
  }
}

/** The first message of every group, then the second of every group that has one, and so on. */
function roundsOf(entries: readonly SqsEntry[]): SqsEntry[][] {
  const rounds: SqsEntry[][] = [];
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const group = entry.MessageGroupId;
    const round = group === undefined ? 0 : (counts.get(group) ?? 0);
    if (group !== undefined) counts.set(group, round + 1);
    rounds[round] ??= [];
    rounds[round].push(entry);
  }
  return rounds;
}

function batchesOf(entries: readonly SqsEntry[]): SqsEntry[][] {
  const batches: SqsEntry[][] = [];
  let batch: SqsEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    if (batch.length > 0 && (batch.length === MAX_ENTRIES || bytes + size > MAX_REQUEST_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
