import type { Job } from '../../lib/core/job.ts';
import type { Core } from '../../lib/pipeline/context.ts';
import { handleBatch } from '../../lib/pipeline/handle-batch.ts';
import type { Handled } from '../../lib/pipeline/handle-message.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { receivedOf, type SqsRecord } from '../../lib/queue/sqs-message.ts';
import { endOf, type Invocation } from './lambda.ts';

/** Messages of a queue, as Lambda hands them to a function. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface QueueEvent {
  Records: SqsRecord[];
}

/** Which of the messages are to come again. */
export interface QueueAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/** A function that reads a queue. */
export type QueueHandler = (event: QueueEvent, invocation: Invocation) => Promise<QueueAnswer>;

/** How the jobs of a queue are done. */
export interface QueueWork<C extends Core> {
  ctx: C;
  queue: Queue;
  /** @param ctx the given one, with the end of this invocation */
  handle(ctx: C, job: Job): Promise<Handled>;
  /** So long before Lambda ends the invocation nothing more is begun, in ms. */
  marginMs: number;
}

/** The handler of a function that reads a queue. */
export function queueHandler<C extends Core>(open: () => Promise<QueueWork<C>>): QueueHandler {
  return async (event, invocation) => {
    const { queue, handle, marginMs, ...work } = await open();
    const ctx = { ...work.ctx, endsAt: endOf(invocation, marginMs) };
    const left = await handleBatch(ctx, queue, event.Records.map(receivedOf), {
      handle: (job) => handle(ctx, job),
    });
    return { batchItemFailures: left.map(({ id }) => ({ itemIdentifier: id })) };
  };
}
