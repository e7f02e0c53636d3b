import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const TYPE = 'application/x-amz-json-1.0';

interface Answer {
  status: number;
  body: string;
  /** DynamoDB's of the body. */
  checksum: string | null;
}

/** An error of AWS: its status, name and text. */
export interface AwsFault {
  status: number;
  code: string;
  message: string;
}

/** A call of an operation, with its input as the API reference has it. */
export interface AwsCall {
  operation: string;
  input: Record<string, unknown>;
}

/** One of AWS's services behind a proxy that can answer in its place. */
export interface AwsProxy {
  url: string;
  /** Asked before each call, with the operation's name such as `SendMessage`; undefined lets the call through. */
  fault: (operation: string) => AwsFault | undefined;
  /** What was called, in its order. */
  readonly calls: AwsCall[];
  stop(): Promise<void>;
}

/** Starts a proxy before a service that speaks one of AWS's JSON protocols. */
export async function startAwsProxy(target: string): Promise<AwsProxy> {
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body, checksum }) => {
        const headers = { 'content-type': TYPE, ...(checksum ? { 'x-amz-crc32': checksum } : {}) };
        response.writeHead(status, headers).end(body);
      },
      () => response.destroy(),
    );
  });
  async function answer(request: IncomingMessage): Promise<Answer> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    proxy.calls.push({ operation, input: JSON.parse(body) as AwsCall['input'] });
    const fault = proxy.fault(operation);
    if (!fault) return forward(request, body, target);
    const said = { __type: `com.amazon.coral.service#${fault.code}`, message: fault.message };
    return { status: fault.status, body: JSON.stringify(said), checksum: null };
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: AwsProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: () => undefined,
    calls: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

async function forward(request: IncomingMessage, body: string, target: string): Promise<Answer> {
  const { authorization = '', 'x-amz-target': operation, 'x-amz-date': date } = request.headers;
  const answer = await fetch(`${target}${request.url ?? '/'}`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': TYPE,
      'x-amz-date': String(date),
      'x-amz-target': String(operation),
    },
    body,
  });
  return { status: answer.status, body: await answer.text(), checksum: answer.headers.get('x-amz-crc32') };
}

/** The partitions that a call of DynamoDB names, and the action that it takes; a batch may name many. */
export function usesOf({ operation, input }: AwsCall): { action: string; partitions: string[] } {
  const action = `dynamodb:${operation}`;
  const key = (item: unknown) => (item as { pk: { S: string } }).pk.S;
  if (operation === 'Query') {
    const values = input.ExpressionAttributeValues as Record<string, { S: string }>;
    return { action, partitions: [values[':pk']?.S ?? ''] };
  }
  if (operation === 'BatchWriteItem') {
    const requests = Object.values(input.RequestItems as Record<string, Record<string, never>[]>).flat();
    const keyed = requests.map(({ PutRequest, DeleteRequest }) =>
      key(
        (PutRequest as { Item?: unknown } | undefined)?.Item ??
          (DeleteRequest as { Key?: unknown } | undefined)?.Key,
      ),
    );
    return { action, partitions: keyed };
  }
  return { action, partitions: [key(input.Key ?? input.Item)] };
}
