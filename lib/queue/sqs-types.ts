/** Shapes of SQS's API, as far as they are used. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */

/** An attribute that the sender gave a message. */
export interface SqsAttribute {
  DataType: 'String';
  StringValue: string;
}

/** A message to be sent. */
export interface SqsEntry {
  Id: string;
  MessageBody: string;
  MessageAttributes?: Record<string, SqsAttribute>;
  /** FIFO queues only. */
  MessageGroupId?: string;
  /** FIFO queues only. */
  MessageDeduplicationId?: string;
  /** Standard queues only. */
  DelaySeconds?: number;
}

/** A message that was received. */
export interface SqsMessage {
  MessageId?: string | undefined;
  ReceiptHandle?: string | undefined;
  Body?: string | undefined;
  Attributes?: Partial<Record<string, string>> | undefined;
  MessageAttributes?: Record<string, { StringValue?: string | undefined }> | undefined;
}

/** An entry that SQS did not take. */
export interface SqsFailure {
  Id: string;
  /** Whether it is the sender's fault, so that trying again is of no use. */
  SenderFault: boolean;
  Code: string;
  Message?: string;
}
