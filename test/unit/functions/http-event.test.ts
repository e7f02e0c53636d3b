import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { addressOf, type HttpEvent, httpHandler, requestOf } from '../../../functions/aws/http-event.ts';
import * as plain from '../../../infra/aws/plain-fetch.ts';
import { silentLog } from '../../../lib/log.ts';
import { createWebhookApp } from '../../../lib/receive/app.ts';

function event(more: Partial<HttpEvent> & { method?: string } = {}): HttpEvent {
  const { method = 'POST', ...rest } = more;
  return {
    rawPath: '/webhooks/github',
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    isBase64Encoded: false,
    requestContext: { domainName: 'hooks.example.com', http: { method } },
    ...rest,
  };
}

describe.each([
  ['of the platform', { Headers, Request, Response }],
  ['of a bundle', plain],
])('with the classes %s,', (_, classes) => {
  beforeAll(() => {
    for (const [name, value] of Object.entries(classes)) vi.stubGlobal(name, value);
  });
  afterAll(() => vi.unstubAllGlobals());

  describe('an event of API Gateway or a function URL', () => {
    test('is the request that was sent', async () => {
      const request = requestOf(
        event({
          rawPath: '/runs/a%20b',
          rawQueryString: 'cluster=x&before=1',
          headers: { 'x-one': '1', accept: 'a,b' },
          cookies: ['a=1', 'b=2'],
          body: '{"ü":1}',
        }),
      );
      expect(request.url).toBe('https://hooks.example.com/runs/a%20b?cluster=x&before=1');
      expect(request.headers.get('cookie')).toBe('a=1; b=2');
      expect(request.headers.get('accept')).toBe('a,b');
      expect(await request.text()).toBe('{"ü":1}');
    });

    test('gives the very bytes of a body in base64', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      const request = requestOf(event({ body: bytes.toString('base64'), isBase64Encoded: true }));
      expect(Buffer.from(await request.arrayBuffer())).toEqual(bytes);
    });

    test('says the true length of its body, whatever the sender said', () => {
      const request = requestOf(event({ headers: { 'content-length': '10' }, body: 'x'.repeat(1_000) }));
      expect(request.headers.get('content-length')).toBe('1000');
      expect(
        requestOf(event({ method: 'GET', headers: { 'content-length': '10' } })).headers.has(
          'content-length',
        ),
      ).toBe(false);
    });

    test('never leads to another host by its path', () => {
      for (const rawPath of ['//evil.example/x', '/\\evil.example', '/@evil.example', '/:80/'])
        expect(new URL(requestOf(event({ method: 'GET', rawPath })).url).host).toBe('hooks.example.com');
    });

    test('that no request can be made of is refused', async () => {
      const handle = httpHandler(async () => ({ app: new Hono() }));
      expect(await handle(event({ method: 'TRACE' }))).toMatchObject({ statusCode: 400 });
      expect(await handle(event({ headers: { 'bad name': '1' } }))).toMatchObject({ statusCode: 400 });
    });

    test('is answered with status, headers, cookies and body', async () => {
      const app = new Hono();
      app.get('/', (c) => {
        c.header('set-cookie', 'a=1', { append: true });
        c.header('set-cookie', 'b=2', { append: true });
        return c.text('hello', 201);
      });
      const answer = await httpHandler(async () => ({ app }))(event({ method: 'GET', rawPath: '/' }));
      expect(answer).toMatchObject({ statusCode: 201, cookies: ['a=1', 'b=2'], body: 'hello' });
      expect(answer.headers['content-type']).toContain('text/plain');
      expect(answer.headers['set-cookie']).toBeUndefined();
    });
  });

  test('an app learns from which address AWS saw the request come', async () => {
    const app = new Hono();
    app.get('/', (c) => c.text(addressOf(c) ?? 'unknown'));
    const handle = httpHandler(async () => ({ app }));
    const http = { method: 'GET', sourceIp: '203.0.113.7' };
    const asked = { ...event({ rawPath: '/' }), requestContext: { http } };
    expect((await handle(asked)).body).toBe('203.0.113.7');
    expect((await handle(event({ method: 'GET', rawPath: '/' }))).body).toBe('unknown');
  });

  describe('the webhooks behind it', () => {
    const app = createWebhookApp({
      providers: { hub: { type: 'github', secrets: async () => ['secret'] } },
      enqueue: () => Promise.reject(new Error('nothing may be enqueued')),
      deliveries: { isDone: async () => false, markDone: async () => {} },
      log: silentLog,
      now: () => 0,
    });
    const handle = httpHandler(async () => ({ app }));
    const tooLarge = 3 * 1024 * 1024 + 1;

    test.each([
      ['as text', { body: 'x'.repeat(tooLarge) }],
      ['in base64', { body: Buffer.alloc(tooLarge).toString('base64'), isBase64Encoded: true }],
    ])('refuse a body over 3 MiB %s that claims to have ten bytes', async (_, more) => {
      const answer = await handle(event({ headers: { 'content-length': '10' }, ...more }));
      expect(answer.statusCode).toBe(413);
    });

    test('take a body of just 3 MiB for what it is: unsigned', async () => {
      const body = Buffer.alloc(tooLarge - 1).toString('base64');
      expect((await handle(event({ body, isBase64Encoded: true }))).statusCode).toBe(401);
    });
  });
});
