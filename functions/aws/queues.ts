import type { AwsJson } from '../../lib/cloud/aws-json.ts';
import type { Queues } from '../../lib/pipeline/context.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { sqsQueue } from '../../lib/queue/sqs.ts';
import type { TriesTable } from '../../lib/queue/sqs-tries.ts';
import { clusterPartition } from '../../lib/store/partitions.ts';
import { QUEUES, queueUrl } from './environment.ts';

/**
 * The queues of an installation on AWS, opened as they are first asked for.
 * @param prefix what the URL of every queue begins with
 * @param index what is kept of messages that gave trouble
 */
export function openQueues(
  sqs: AwsJson,
  prefix: string,
  index: TriesTable['table'],
): Queues & { notify: Queue } {
  const opened = new Map<string, Queue>();
  const queue = (name: string, partition: string): Queue => {
    const known = opened.get(name);
    if (known) return known;
    const made = sqsQueue({
      sqs,
      name,
      queueUrl: queueUrl(prefix, name),
      deadLetterQueueUrl: queueUrl(prefix, QUEUES.deadOf(name)),
      delayQueueUrl: queueUrl(prefix, QUEUES.delay),
      tries: { table: index, partition },
      now: Date.now,
    });
    opened.set(name, made);
    return made;
  };
  return {
    push: queue(QUEUES.push, `core-tries#${QUEUES.push}`),
    notify: queue(QUEUES.notify, `core-tries#${QUEUES.notify}`),
    cluster: (name) => queue(QUEUES.cluster(name), clusterPartition('tries', name)),
  };
}
