import type { AwsAnswer, AwsMessage } from '../../lib/cloud/aws-connection.ts';
import { messageOf } from '../../lib/core/errors.ts';

/**
 * Sends a request to AWS once by `fetch`: a Worker's `node:http` ends the whole request when a connection fails.
 * @throws Error saying what is wrong with the connection, or the signal's reason
 */
export async function fetchExchange({ url, method, headers, body, signal }: AwsMessage): Promise<AwsAnswer> {
  try {
    // Nothing signed goes where an answer points.
    const init: RequestInit = { method, headers, redirect: 'manual', signal };
    const answer = await fetch(url, body === undefined ? init : { ...init, body });
    return {
      status: answer.status,
      errorType: answer.headers.get('x-amzn-errortype'),
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(messageOf((error as { cause?: unknown }).cause ?? error), { cause: error });
  }
}
