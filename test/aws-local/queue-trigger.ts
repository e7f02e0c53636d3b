/** What Lambda does for a function that reads a queue: it takes messages, invokes the function, deletes what the function has done. */
import type { Invocation } from '../../functions/aws/lambda.ts';
import type { QueueAnswer, QueueEvent } from '../../functions/aws/queue-event.ts';
import type { AwsJson } from '../../lib/cloud/aws-json.ts';
import { receiveRecords } from '../../lib/queue/sqs-receive.ts';
import { TIMEOUT_SECONDS } from './resources.ts';

/** A function in one environment of its own, which Lambda invokes for one event at a time. */
export type Invoke = (event: QueueEvent, invocation: Invocation) => Promise<QueueAnswer>;

/** A queue and the function that reads it. */
export interface QueueTrigger {
  sqs: AwsJson;
  queueUrl: string;
  batchSize: number;
  /** One for each environment. */
  environments: readonly Invoke[];
  /** Longest run of the function, in ms. Default: that of the stacks. */
  timeoutMs?: number;
  /** For how long messages are hidden that were handed out, in ms. Default: as in the stacks, for as long as the function may run. */
  visibilityMs?: number;
  /** Told of what an invocation threw, as CloudWatch is. */
  failed(error: unknown): void;
}

/** Invokes the function until the signal aborts, and then waits for the invocations under way. */
export async function serveQueue(trigger: QueueTrigger, signal: AbortSignal): Promise<void> {
  await Promise.all(trigger.environments.map((invoke) => serveEnvironment(trigger, invoke, signal)));
}

async function serveEnvironment(trigger: QueueTrigger, invoke: Invoke, signal: AbortSignal): Promise<void> {
  const { sqs, queueUrl, batchSize, timeoutMs = TIMEOUT_SECONDS * 1_000 } = trigger;
  const { visibilityMs = TIMEOUT_SECONDS * 1_000 } = trigger;
  while (!signal.aborted) {
    // Not cut off by the signal: what was handed out to a request that is given up would be hidden from everybody.
    const records = await receiveRecords(sqs, queueUrl, {
      max: batchSize,
      waitMs: 1_000,
      visibilityMs,
    });
    if (records.length === 0) continue;
    const endsAt = Date.now() + timeoutMs;
    const invocation = { getRemainingTimeInMillis: () => endsAt - Date.now() };
    let failed: Set<string>;
    try {
      const answer = await invoke({ Records: records }, invocation);
      failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    } catch (error) {
      // The whole batch comes again.
      trigger.failed(error);
      continue;
    }
    await Promise.all(
      records
        .filter(({ messageId }) => !failed.has(messageId))
        .map(({ receiptHandle }) =>
          // Mostly gone already: functions acknowledge what they have done at once.
          sqs('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: receiptHandle }).catch(() => undefined),
        ),
    );
  }
}
