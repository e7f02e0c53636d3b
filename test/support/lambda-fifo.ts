import type { OutgoingMessage, Queue, ReceivedMessage } from '../../lib/queue/queue.ts';

/**
 * A FIFO queue as Lambda's poller sees it: one request may take several messages of a group, in their order, and none of a group that has
 * any in flight. The servers that stand in for SQS hand out one of a group only. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export interface LambdaFifo {
  queue: Queue;
  /** Up to ten messages, oldest first. */
  poll(): ReceivedMessage[];
  /** Bodies of dead letters. */
  dead: string[];
}

/** @param maxFailures a message that failed so often becomes a dead letter */
export function lambdaFifo(maxFailures: number): LambdaFifo {
  let line: (ReceivedMessage & { inFlight: boolean; failures: number })[] = [];
  const dead: string[] = [];
  let ids = 0;
  const find = ({ id }: ReceivedMessage) => line.find((message) => message.id === id);
  const refuse = () => Promise.reject(new Error('not part of this model'));
  const queue: Queue = {
    async send(messages: readonly OutgoingMessage[]) {
      for (const { group, body } of messages) {
        ids += 1;
        const message = { id: `${ids}`, receipt: '', group, body, receiveCount: 0, sentAt: 0 };
        line.push({ ...message, inFlight: false, failures: 0 });
      }
    },
    async extend(message) {
      if (!find(message)?.inFlight) throw new Error('the receipt is out of date');
    },
    async acknowledge(message) {
      line = line.filter(({ id }) => id !== message.id);
    },
    admit: async () => 'begin',
    async fail(message) {
      const found = find(message);
      if (!found) return;
      found.inFlight = false;
      found.failures += 1;
      if (found.failures < maxFailures) return;
      dead.push(found.body);
      line = line.filter((one) => one !== found);
    },
    async release(message) {
      const found = find(message);
      if (found) found.inFlight = false;
    },
    receive: refuse,
    deadLetters: refuse,
    redrive: refuse,
    close: async () => {},
  };
  return {
    queue,
    dead,
    poll() {
      const busy = new Set(line.filter(({ inFlight }) => inFlight).map(({ group }) => group));
      const taken = line.filter(({ group }) => !busy.has(group)).slice(0, 10);
      for (const message of taken) {
        message.receiveCount += 1;
        message.inFlight = true;
      }
      return taken.map(({ inFlight: _inFlight, failures: _failures, ...message }) => message);
    },
  };
}
