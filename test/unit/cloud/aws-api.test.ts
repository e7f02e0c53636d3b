import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsApi, type AwsApiOptions, createAwsApi } from '../../../lib/cloud/aws-api.ts';
import { AwsError } from '../../../lib/cloud/aws-fault.ts';
import { dynamodbApi, sqsApi } from '../../../lib/cloud/aws-json.ts';
import { ACCESS_KEY, SECRET_KEY } from '../../support/fake-aws.ts';
import { sha256, signatureOf } from '../../support/sigv4.ts';

type Answer = [status: number, body: object, headers?: Record<string, string>] | 'never' | 'cut' | 'half';

let server: Server;
let url: string;
let answers: Answer[];
let requests: { headers: IncomingMessage['headers']; body: string }[];
let waits: number[];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ headers: request.headers, body });
    const answer = answers.shift() ?? [200, {}];
    if (answer === 'never') return;
    if (answer === 'cut') return void request.socket.destroy();
    if (answer === 'half') {
      response.writeHead(200, { 'content-length': '20' }).write('{"ok":', () => request.socket.destroy());
      return;
    }
    const [status, value, headers] = answer;
    response.writeHead(status, headers).end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  answers = [];
  requests = [];
  waits = [];
});

function api(options: Partial<AwsApiOptions> = {}): AwsApi {
  return createAwsApi({
    credentials: async () => ({
      accessKeyId: ACCESS_KEY,
      secretAccessKey: SECRET_KEY,
      sessionToken: 'session',
    }),
    region: 'eu-west-1',
    endpoint: () => url,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    sleep: async (ms) => void waits.push(ms),
    random: () => 1,
    ...options,
  });
}

const throttled: Answer = [
  400,
  { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException' },
];
const put = (aws = api()) => dynamodbApi(async () => aws)('PutItem', { TableName: 't' });

describe('a call to AWS', () => {
  test('is signed as AWS checks it, body and session included', async () => {
    await put();
    const { headers, body } = requests[0] as (typeof requests)[0];
    const [, names = '', signature] =
      /SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
    expect(names.split(';')).toEqual(['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']);
    expect(headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.PutItem',
      'x-amz-security-token': 'session',
      'x-amz-date': '20260102T030405Z',
    });
    expect(signature).toBe(
      signatureOf({
        method: 'POST',
        path: '/',
        query: [],
        headers: Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])])),
        payloadHash: sha256(body),
        date: '20260102T030405Z',
        region: 'eu-west-1',
        service: 'dynamodb',
        secretKey: SECRET_KEY,
      }),
    );
  });

  test.each<[string, Answer]>([
    ['throttled by a table', throttled],
    ['throttled by a queue', [403, { __type: 'com.amazonaws.sqs#RequestThrottled' }]],
    ['answered with a fault of the service', [500, {}]],
    ['answered with too many requests', [429, {}]],
    ['cut off', 'cut'],
    ['answered by half', 'half'],
  ])('that is %s is made again after ever longer waits', async (_, answer) => {
    answers = [answer, answer, answer, [200, { ok: true }]];
    expect(await put()).toEqual({ ok: true });
    expect(requests).toHaveLength(4);
    expect(waits).toEqual([200, 400, 800]);
  });

  test('that is throttled again and again fails, and says by whom', async () => {
    answers = Array.from({ length: 9 }, () => throttled);
    await expect(put()).rejects.toThrow('dynamodb answered 400 ProvisionedThroughputExceededException');
    expect(requests).toHaveLength(4);
  });

  test('waits at random between half and the whole, so that callers do not come back together', async () => {
    answers = [throttled];
    await put(api({ random: () => 0 }));
    expect(waits).toEqual([100]);
  });

  test.each(['ExpiredTokenException', 'UnrecognizedClientException', 'InvalidSignatureException'])(
    'with credentials that are not accepted (%s) is made once, and says what to do',
    async (code) => {
      answers = [
        [400, { __type: `com.amazon.coral.service#${code}`, message: 'The security token is expired' }],
      ];
      await expect(put()).rejects.toThrow(
        `${code}: The security token is expired. AWS does not accept the credentials of this process; renew them`,
      );
      expect(requests).toHaveLength(1);
    },
  );

  test('that is refused is made once; its error has the code of AWS and no secret', async () => {
    answers = [[400, { message: 'no' }, { 'x-amzn-errortype': 'AccessDeniedException:http://internal' }]];
    const error = await put().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AwsError);
    expect(error).toMatchObject({ code: 'AccessDeniedException', status: 400 });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/session|EXAMPLEKEY/);
    expect(requests).toHaveLength(1);
  });

  test('gives the bytes of an answer as they are, and statuses that are expected', async () => {
    answers = [[404, { a: 'ü' }]];
    const { status, body } = await api().send({ service: 's3', expected: [404] });
    expect([status, Buffer.from(body).toString()]).toEqual([404, '{"a":"ü"}']);
    answers = [[404, {}]];
    await expect(api().send({ service: 's3', expected: [403] })).rejects.toThrow('s3 answered 404');
  });

  test('goes over the connection of the one before', async () => {
    const ports = new Set<number | undefined>();
    const note = (request: IncomingMessage) => void ports.add(request.socket.remotePort);
    server.on('request', note);
    for (let index = 0; index < 3; index += 1) await put();
    server.off('request', note);
    expect(ports.size).toBe(1);
  });

  test('goes nowhere that an answer points to', async () => {
    answers = [[302, {}, { location: `${url}/elsewhere` }]];
    await expect(put()).rejects.toThrow('dynamodb answered 302');
    expect(requests).toHaveLength(1);
  });

  test('that gets no answer in time is made again', async () => {
    answers = ['never', [200, { ok: true }]];
    expect(await put(api({ timeoutMs: 100 }))).toEqual({ ok: true });
  });

  test('ends with the signal, and is not made again', async () => {
    answers = ['never'];
    const stop = new AbortController();
    const call = sqsApi(async () => api())(
      'ReceiveMessage',
      { QueueUrl: `${url}/1/q` },
      { signal: stop.signal },
    );
    while (requests.length === 0) await new Promise(setImmediate);
    stop.abort(new Error('over'));
    await expect(call).rejects.toThrow('over');
    expect(requests).toHaveLength(1);
  });

  test('to a queue goes where its URL says, unless another address is set', async () => {
    const sqs = sqsApi(async () => api({ endpoint: () => undefined }));
    await sqs('DeleteMessage', { QueueUrl: `${url}/1/q` });
    expect(requests).toHaveLength(1);
  });
});
