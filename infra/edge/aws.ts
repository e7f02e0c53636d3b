import { AwsClient } from 'aws4fetch';
import type { EdgeEnvironment } from './environment.ts';

/** Calls AWS's JSON services by `fetch`, with signed requests. */
export interface EdgeAws {
  /**
   * @param url of the service
   * @param target the operation, such as `AmazonSQS.SendMessage`
   * @returns the answer
   * @throws Error with AWS's own name for what is wrong
   */
  call<T>(service: 'sqs' | 'dynamodb', url: string, target: string, input: unknown): Promise<T>;
}

/** How often a request is tried again that was throttled or failed at AWS, and how long for the first time at most, in ms. */
const RETRIES = { retries: 3, initRetryMs: 100 };

/** A webhook is answered within 10 s; one call must not use that up. */
const TIMEOUT_MS = 4_000;

/** Makes the caller. */
export function edgeAws(environment: EdgeEnvironment): EdgeAws {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environment;
  const client = new AwsClient({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    region,
    ...RETRIES,
  });
  return {
    async call<T>(service: string, url: string, target: string, input: unknown): Promise<T> {
      const response = await client.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        aws: { service, region },
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text === '' ? '{}' : text) as T;
      throw new Error(`${target} was answered with ${response.status}: ${faultOf(text)}`);
    },
  };
}

/** AWS's name for a fault and its message. */
function faultOf(text: string): string {
  try {
    const { __type: type = '', message = '' } = JSON.parse(text) as { __type?: string; message?: string };
    return `${type.replace(/^.*#/, '')} ${message}`.trim();
  } catch {
    return text.slice(0, 200);
  }
}
