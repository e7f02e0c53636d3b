import type { AwsApi } from './aws-api.ts';

/** What a call is told besides its input. */
export interface AwsJsonOptions {
  /** Default: that of this process. */
  region?: string | undefined;
  /** How long AWS is asked to wait before it answers, in ms. */
  waitMs?: number;
  /** Ends the call; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Calls an operation of one of AWS's JSON services, with input and output as its API reference has them.
 * @throws AwsError
 */
export type AwsJson = <T>(operation: string, input: object, options?: AwsJsonOptions) => Promise<T>;

/** Opens what calls are signed and sent with. */
export type OpenAws = () => Promise<Pick<AwsApi, 'call'>>;

/** The operations of SQS; a queue is reached where its URL says. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
export function sqsApi(open: OpenAws): AwsJson {
  return callerOf(open, 'sqs', 'AmazonSQS', {
    originOf: (input) => new URL((input as { QueueUrl: string }).QueueUrl).origin,
  });
}

/** The operations of DynamoDB. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/ */
export function dynamodbApi(open: OpenAws): AwsJson {
  return callerOf(open, 'dynamodb', 'DynamoDB_20120810');
}

/** The operations of ECR. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/ */
export function ecrApi(open: OpenAws): AwsJson {
  return callerOf(open, 'ecr', 'AmazonEC2ContainerRegistry_V20150921', { version: '1.1' });
}

function callerOf(
  open: OpenAws,
  service: string,
  target: string,
  { version = '1.0', originOf }: { version?: string; originOf?(input: object): string } = {},
): AwsJson {
  return async <T>(operation: string, input: object, options: AwsJsonOptions = {}): Promise<T> => {
    const aws = await open();
    const origin = originOf?.(input);
    const text = await aws.call({
      service,
      method: 'POST',
      headers: {
        'content-type': `application/x-amz-json-${version}`,
        'x-amz-target': `${target}.${operation}`,
      },
      body: JSON.stringify(input),
      ...(origin === undefined ? {} : { origin }),
      ...options,
    });
    return JSON.parse(text === '' ? '{}' : text) as T;
  };
}
