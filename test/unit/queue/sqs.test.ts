import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Queue } from '../../../lib/queue/queue.ts';
import { sqsQueue } from '../../../lib/queue/sqs.ts';
import { type Forwarder, sqsForwarder } from '../../../lib/queue/sqs-forward.ts';
import { receivedOf } from '../../../lib/queue/sqs-message.ts';
import { type Fauxqs, type QueueUrls, startSqsAndS3 } from '../../support/fauxqs.ts';
import { memoryTries } from '../../support/memory-tries.ts';

let server: Fauxqs;
let urls: QueueUrls;
let queue: Queue;
let forwarder: Forwarder;
let count = 0;
beforeAll(async () => {
  server = await startSqsAndS3();
});
afterAll(() => server.stop());
beforeEach(async () => {
  count += 1;
  urls = await server.createQueues(`unit-${count}`, 3);
  queue = sqsQueue({ sqs: server.api, ...urls, tries: memoryTries(), now: () => Date.now() });
  forwarder = sqsForwarder({
    sqs: server.api,
    ...urls,
    queueUrl(name) {
      if (name === urls.name) return urls.queueUrl;
      throw new Error(`there is no queue ${name}`);
    },
  });
});

describe('the queue in SQS', () => {
  test('gives a message back that came for a receiver which was no longer waiting', async () => {
    const stop = new AbortController();
    const waiting = queue.receive({ max: 1, waitMs: 5_000, visibilityMs: 60_000, signal: stop.signal });
    await new Promise(setImmediate);
    stop.abort();
    expect(await waiting).toEqual([]);
    await queue.send([{ group: 'a', deduplicationId: '1', body: 'x' }]);
    const [received] = await queue.receive({ max: 1, waitMs: 20_000, visibilityMs: 60_000 });
    expect(received?.body).toBe('x');
    await queue.close();
  });

  test('forwards what the delay queue held back, once, however often it is delivered', async () => {
    const body = '{"name":"ä","bad":"\u0001"}';
    await queue.send([{ group: 'a b', deduplicationId: '1', body, delayMs: 1_000 }]);
    const peek = new ReceiveMessageCommand({
      QueueUrl: urls.delayQueueUrl,
      WaitTimeSeconds: 5,
      MessageAttributeNames: ['All'],
    });
    const { Messages: messages = [] } = await server.sqs.send(peek);
    // As a Lambda event names things.
    const records = messages.map(({ MessageId = '', Body = '', MessageAttributes = {} }) => ({
      messageId: MessageId,
      body: Body,
      messageAttributes: Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue }]) => [
          name,
          { stringValue: StringValue },
        ]),
      ),
    }));
    expect(records).toHaveLength(1);
    expect(await forwarder.forward(records)).toEqual(new Map());
    expect(await forwarder.forward(records)).toEqual(new Map());
    const received = await queue.receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    expect(received).toMatchObject([{ group: 'a b', body }]);
    await queue.acknowledge(received[0] as NonNullable<(typeof received)[0]>);
    expect(await queue.receive({ max: 10, waitMs: 0, visibilityMs: 60_000 })).toEqual([]);
  });

  test('names the held-back messages that could not be sent on, and sends the others', async () => {
    const envelope = { group: 'a', deduplicationId: '1', body: 'x', sentAt: 1 };
    const record = (messageId: string, text: string) => ({ messageId, body: text, messageAttributes: {} });
    const failed = await forwarder.forward([
      record('lost', JSON.stringify({ ...envelope, queue: 'gone' })),
      record('garbled', '{'),
      record('good', JSON.stringify({ ...envelope, queue: urls.name })),
    ]);
    expect([...failed.keys()].sort()).toEqual(['garbled', 'lost']);
    expect(String(failed.get('lost'))).toContain('there is no queue gone');
    const received = await queue.receive({ max: 10, waitMs: 0, visibilityMs: 60_000 });
    expect(received).toMatchObject([{ body: 'x' }]);
  });

  test('reads what others wrote to it, and messages of a Lambda event', async () => {
    const entry = { Id: '0', MessageBody: '{}', MessageGroupId: 'plain', MessageDeduplicationId: '1' };
    await server.sqs.send(new SendMessageBatchCommand({ QueueUrl: urls.queueUrl, Entries: [entry] }));
    const [received] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
    expect(received).toMatchObject({ group: 'plain', body: '{}', receiveCount: 1 });
    expect(received?.sentAt).toBeGreaterThan(Date.UTC(2025));
    const record = receivedOf({
      messageId: 'id',
      receiptHandle: 'receipt',
      body: Buffer.from('{"\u0001":1}').toString('base64'),
      attributes: { MessageGroupId: 'hash', ApproximateReceiveCount: '2', SentTimestamp: '5' },
      messageAttributes: {
        encoding: { stringValue: 'base64' },
        group: { stringValue: 'a long group' },
        sentAt: { stringValue: '3' },
      },
    });
    expect(record).toEqual({
      id: 'id',
      receipt: 'receipt',
      group: 'a long group',
      body: '{"\u0001":1}',
      receiveCount: 2,
      sentAt: 3,
    });
  });

  test('takes a message for lost that somebody else has deleted', async () => {
    await queue.send([{ group: 'a', deduplicationId: '1', body: 'x' }]);
    const [received] = await queue.receive({ max: 1, waitMs: 0, visibilityMs: 60_000 });
    if (!received) throw new Error('nothing was handed out');
    const { queueUrl } = urls;
    await server.sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: received.receipt }));
    await expect(queue.extend(received, 60_000)).rejects.toThrow('out of date');
    await queue.release(received);
    await queue.acknowledge(received);
  });

  test('throws when the queue does not exist, instead of taking that for an old receipt', async () => {
    const missing = sqsQueue({
      sqs: server.api,
      ...urls,
      queueUrl: `${urls.queueUrl}x`,
      tries: memoryTries(),
      now: () => Date.now(),
    });
    const message = { id: '1', receipt: 'r', group: 'a', body: 'x', receiveCount: 1, sentAt: 0 };
    await expect(missing.acknowledge(message)).rejects.toThrow('queue');
    await expect(missing.send([{ group: 'a', deduplicationId: '1', body: 'x' }])).rejects.toThrow('queue');
    await expect(missing.receive({ max: 1, waitMs: 0, visibilityMs: 1_000 })).rejects.toThrow('queue');
  });
});
