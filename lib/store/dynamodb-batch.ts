import pLimit from 'p-limit';
import type { AwsJson } from '../cloud/aws-json.ts';
import type { Timers } from '../queue/timers.ts';
import type { WriteRequest } from './dynamodb-types.ts';

/** DynamoDB's limit of one request. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const MAX_REQUESTS = 25;

const CONCURRENCY = 8;

/** How often writes are tried that DynamoDB left undone for lack of capacity, and the first wait between, in ms: 12 s in all. */
const ATTEMPTS = 8;
const BACKOFF_MS = 100;

/**
 * Writes any number of items, in any order.
 * @throws Error when DynamoDB leaves some undone again and again; others are written then
 */
export async function batchWrite(
  dynamodb: AwsJson,
  tableName: string,
  requests: readonly WriteRequest[],
  timers: Timers,
): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  const chunks: Promise<void>[] = [];
  for (let start = 0; start < requests.length; start += MAX_REQUESTS) {
    const chunk = requests.slice(start, start + MAX_REQUESTS);
    chunks.push(limit(() => writeChunk(dynamodb, tableName, chunk, timers)));
  }
  await Promise.all(chunks);
}

async function writeChunk(
  dynamodb: AwsJson,
  tableName: string,
  chunk: WriteRequest[],
  timers: Timers,
): Promise<void> {
  let left = chunk;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await dynamodb<{ UnprocessedItems?: Record<string, WriteRequest[]> }>('BatchWriteItem', {
      RequestItems: { [tableName]: left },
    });
    left = answer.UnprocessedItems?.[tableName] ?? [];
    if (left.length === 0) return;
    if (attempt === ATTEMPTS) {
      throw new Error(
        `DynamoDB left ${left.length} of ${chunk.length} writes to table ${tableName} undone after ${attempt} tries.`,
      );
    }
    await new Promise<void>((resolve) => timers.set(resolve, BACKOFF_MS * 2 ** (attempt - 1)));
  }
}
