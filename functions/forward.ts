import { sqsApi } from '../lib/cloud/aws-json.ts';
import { messageOf } from '../lib/core/errors.ts';
import type { Log } from '../lib/log.ts';
import { type Forwarder, sqsForwarder } from '../lib/queue/sqs-forward.ts';
import { type Environment, QUEUES, queueUrl } from './aws/environment.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { logOf } from './aws/log.ts';
import type { QueueAnswer, QueueEvent } from './aws/queue-event.ts';
import { lazyAwsApi } from './open-aws-api.ts';

/** The queues that messages are held back for. */
const FORWARDED = /^(push|notify|cluster-[a-z0-9-]+)\.fifo$/;

/** A function that reads the delay queue. */
export type ForwardHandler = (event: QueueEvent) => Promise<QueueAnswer>;

/** Brings messages that were held back into the line of their queue. It may send to queues, and nothing else. */
export async function openForward(
  environment: Environment,
  log: Log = logOf(environment),
): Promise<Opened & { forwarder: Forwarder; log: Log }> {
  const forwarder = sqsForwarder({
    sqs: sqsApi(lazyAwsApi()),
    delayQueueUrl: queueUrl(environment.queues, QUEUES.delay),
    queueUrl(name) {
      if (!FORWARDED.test(name)) throw new Error(`nothing is held back for a queue ${JSON.stringify(name)}`);
      return queueUrl(environment.queues, name);
    },
  });
  return { forwarder, log, isCurrent: async () => true, close: async () => {} };
}

/** Its handler; what could not be sent on stays in the queue, and comes again. */
export function forwardHandler(open: () => Promise<{ forwarder: Forwarder; log: Log }>): ForwardHandler {
  return async ({ Records: records }) => {
    const { forwarder, log } = await open();
    const failed = await forwarder.forward(records);
    for (const [message, error] of failed)
      log.error({ message, error: messageOf(error) }, 'a message that was held back could not be sent on');
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

export const handler: ForwardHandler = forwardHandler(keepOpen(openForward));
