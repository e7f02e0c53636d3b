import { groupOf, type PushJob } from '../../lib/core/job.ts';
import { checkOutgoing } from '../../lib/queue/limits.ts';
import { envelopeOf, fifoEntry } from '../../lib/queue/sqs-message.ts';
import type { EdgeAws } from './aws.ts';

/**
 * Sends a push as the queue of the other functions does, so that fan-out cannot tell where it came from. Resolves once it is durable.
 * @param queues what the URLs of all queues begin with
 * @throws Error when SQS does not take it
 */
export async function sendPush(aws: EdgeAws, queues: string, job: PushJob, now: number): Promise<void> {
  const message = {
    group: groupOf(job),
    deduplicationId: crypto.randomUUID(),
    body: JSON.stringify(job),
  };
  checkOutgoing([message]);
  const { Id: _, ...entry } = fifoEntry('0', envelopeOf(message, now));
  const url = `${queues}push.fifo`;
  await aws.call('sqs', new URL(url).origin, 'AmazonSQS.SendMessage', { QueueUrl: url, ...entry });
}
