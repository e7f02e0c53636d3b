import type { AwsJson } from '../../lib/cloud/aws-json.ts';
import type { Queues } from '../../lib/pipeline/context.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { sqsQueue } from '../../lib/queue/sqs.ts';
import { MAX_RECEIVE_COUNT, QUEUES, queueUrl } from './environment.ts';

/**
 * The queues of an installation on AWS, opened as they are first asked for.
 * @param prefix what the URL of every queue begins with
 */
export function openQueues(sqs: AwsJson, prefix: string): Queues & { notify: Queue } {
  const opened = new Map<string, Queue>();
  const queue = (name: string): Queue => {
    const known = opened.get(name);
    if (known) return known;
    const made = sqsQueue({
      sqs,
      name,
      queueUrl: queueUrl(prefix, name),
      deadLetterQueueUrl: queueUrl(prefix, QUEUES.deadOf(name)),
      delayQueueUrl: queueUrl(prefix, QUEUES.delay),
      maxReceiveCount: MAX_RECEIVE_COUNT,
      now: Date.now,
    });
    opened.set(name, made);
    return made;
  };
  return {
    push: queue(QUEUES.push),
    notify: queue(QUEUES.notify),
    cluster: (name) => queue(QUEUES.cluster(name)),
  };
}
