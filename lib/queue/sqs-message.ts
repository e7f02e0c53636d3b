import { createHash } from 'node:crypto';
import type { OutgoingMessage, ReceivedMessage } from './queue.ts';
import type { SqsEntry, SqsMessage } from './sqs-types.ts';

/** Characters that SQS refuses in a body. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** What SQS allows in a group or deduplication id. */
const PLAIN_ID = /^[a-zA-Z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;

/** A message on its way through SQS, whatever queue it stands in. */
export interface Envelope {
  group: string;
  deduplicationId: string;
  body: string;
  /** Epoch in ms of its first sending; SQS forgets that when a message becomes a dead letter. */
  sentAt: number;
}

/** A message that is held back, and the queue that it is for. */
export interface DelayedEnvelope extends Envelope {
  queue: string;
}

/** A message as Lambda hands it over; SQS's own answers differ in capitals and in the spelling of attributes. */
export interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: Partial<Record<string, string>>;
  messageAttributes: Partial<Record<string, { stringValue?: string | undefined }>>;
}

/** An entry for the FIFO queue. */
export function fifoEntry(id: string, envelope: Envelope): SqsEntry {
  return {
    Id: id,
    MessageGroupId: PLAIN_ID.test(envelope.group) ? envelope.group : digest(envelope.group),
    // With its group: whether ids count over the whole queue or within a group is a setting of the queue.
    MessageDeduplicationId: digest(JSON.stringify([envelope.group, envelope.deduplicationId])),
    ...encode(envelope.body),
    ...attributes(envelope, envelope.body),
  };
}

/** An entry for the standard queue that holds messages back. */
export function delayEntry(id: string, envelope: DelayedEnvelope, delayMs: number): SqsEntry {
  const body = JSON.stringify(envelope);
  return {
    Id: id,
    DelaySeconds: Math.ceil(delayMs / 1_000),
    ...encode(body),
    ...attributes(undefined, body),
  };
}

/** An entry for the dead-letter queue, which says how often the message was handed out. */
export function deadEntry(message: ReceivedMessage): SqsEntry {
  const { id, group, body, sentAt, receiveCount } = message;
  const entry = fifoEntry('0', { group, deduplicationId: `dead/${id}`, body, sentAt });
  const receives = { DataType: 'String' as const, StringValue: String(receiveCount) };
  return { ...entry, MessageAttributes: { ...entry.MessageAttributes, receives } };
}

/** How often a dead letter was handed out before it was given up; undefined where SQS itself gave it up. */
export function receivesOf({ messageAttributes }: Pick<SqsRecord, 'messageAttributes'>): number | undefined {
  const text = messageAttributes.receives?.stringValue;
  return text === undefined ? undefined : Number(text);
}

/** The message that the standard queue held back. */
export function delayedEnvelope(record: Pick<SqsRecord, 'body' | 'messageAttributes'>): DelayedEnvelope {
  return JSON.parse(bodyOf(record)) as DelayedEnvelope;
}

/** A message of the FIFO queue, from a record of a Lambda event or of {@link recordOf}. */
export function receivedOf(record: SqsRecord): ReceivedMessage {
  const { attributes: system, messageAttributes } = record;
  return {
    id: record.messageId,
    receipt: record.receiptHandle,
    group: messageAttributes.group?.stringValue ?? system.MessageGroupId ?? '',
    body: bodyOf(record),
    receiveCount: Number(system.ApproximateReceiveCount ?? 1),
    sentAt: Number(messageAttributes.sentAt?.stringValue ?? system.SentTimestamp ?? 0),
  };
}

/** A message of an answer of SQS, as a record. */
export function recordOf(message: SqsMessage): SqsRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
        name,
        { stringValue: StringValue },
      ]),
    ),
  };
}

/** How many bytes of a request's limit an entry takes, at most. */
export function sizeOf(entry: SqsEntry): number {
  return (
    Buffer.byteLength(entry.MessageBody) + Buffer.byteLength(JSON.stringify(entry.MessageAttributes ?? {}))
  );
}

/** The message without its place in a queue, to be sent anew. */
export function envelopeOf(
  message: OutgoingMessage | (ReceivedMessage & { deduplicationId: string }),
  now: number,
): Envelope {
  const { group, deduplicationId, body } = message;
  return { group, deduplicationId, body, sentAt: 'sentAt' in message ? message.sentAt : now };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function encode(body: string): { MessageBody: string } {
  return { MessageBody: mustEncode(body) ? Buffer.from(body).toString('base64') : body };
}

function mustEncode(body: string): boolean {
  return FORBIDDEN.test(body);
}

function attributes(envelope: Envelope | undefined, body: string): Pick<SqsEntry, 'MessageAttributes'> {
  const values: Record<string, string> = {};
  if (envelope) values.sentAt = String(envelope.sentAt);
  if (envelope && !PLAIN_ID.test(envelope.group)) values.group = envelope.group;
  if (mustEncode(body)) values.encoding = 'base64';
  if (Object.keys(values).length === 0) return {};
  return {
    MessageAttributes: Object.fromEntries(
      Object.entries(values).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    ),
  };
}

function bodyOf({ body, messageAttributes }: Pick<SqsRecord, 'body' | 'messageAttributes'>): string {
  return messageAttributes.encoding?.stringValue === 'base64' ? Buffer.from(body, 'base64').toString() : body;
}
