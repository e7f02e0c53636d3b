import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** A signed request. */
export interface AwsMessage {
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array | undefined;
  /** Ends the exchange, which then fails with its reason. */
  signal: AbortSignal;
}

/** What AWS answered. */
export interface AwsAnswer {
  status: number;
  /** The `x-amzn-errortype`; null when there is none. */
  errorType: string | null;
  body: Uint8Array;
}

/**
 * Sends a request once and reads the whole answer; nothing is followed. Connections are kept open. It is not `fetch` because of what that
 * costs at the first call: a function would spend a quarter of its cold start on loading it.
 * @throws the error of the connection, or the signal's reason
 */
export function exchange({ url, method, headers, body, signal }: AwsMessage): Promise<AwsAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    send(url, { method, headers, signal }, (answer) => {
      read(answer).then(
        (bytes) =>
          resolve({
            status: answer.statusCode ?? 0,
            errorType: (answer.headers['x-amzn-errortype'] as string | undefined) ?? null,
            body: bytes,
          }),
        fail,
      );
    })
      .on('error', fail)
      .end(body);
  });
}

/** An answer that ends too early is an error. */
async function read(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
