import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp, type Http } from '../../../lib/http.ts';
import type { HttpErrorKind } from '../../../lib/http-error.ts';
import { HttpError } from '../../../lib/http-error.ts';
import { type Address, createNetworkPolicy } from '../../../lib/network.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(handler: Handler): Promise<{ server: Server; port: number }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

async function kindOf(promise: Promise<unknown>): Promise<HttpErrorKind | 'none'> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) expect(error).toBeInstanceOf(HttpError);
  return error instanceof HttpError ? error.kind : 'none';
}

describe('createHttp', () => {
  let handler: Handler = (_request, response) => response.end();
  let first: { server: Server; port: number };
  let second: { server: Server; port: number };
  const seen: IncomingMessage[] = [];
  const options = { timeoutMs: 2_000, maxBytes: 1_000, userAgent: 'slipway/test' };
  const local = createNetworkPolicy({ allow: ['127.0.0.1', '::1'] });
  let http: Http;

  beforeAll(async () => {
    first = await listen((request, response) => {
      seen.push(request);
      handler(request, response);
    });
    second = await listen((request, response) => {
      seen.push(request);
      response.end('second');
    });
    http = createHttp({ policy: local, ...options });
  });
  afterAll(async () => {
    await http.close();
    first.server.close();
    second.server.close();
  });

  it('sends method, headers and body, and hands back status, headers and body', async () => {
    handler = (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () =>
        response
          .writeHead(418, { 'x-a': 'b' })
          .end(`${request.method} ${request.headers['user-agent']} ${body}`),
      );
    };
    const answer = await http.request({
      method: 'POST',
      url: `http://127.0.0.1:${first.port}/x`,
      body: 'hällo',
    });
    expect([answer.status, answer.headers.get('x-a'), answer.text()]).toEqual([
      418,
      'b',
      'POST slipway/test hällo',
    ]);
  });

  it('refuses hosts that the policy forbids, as address and as name, before a byte is sent', async () => {
    const strict = createHttp({ policy: createNetworkPolicy({ allow: [] }), ...options });
    const before = seen.length;
    expect(await kindOf(strict.request({ url: `http://127.0.0.1:${first.port}/` }))).toBe('refused');
    expect(await kindOf(strict.request({ url: `http://localhost:${first.port}/` }))).toBe('refused');
    expect(await kindOf(strict.request({ url: `http://[::ffff:127.0.0.1]:${first.port}/` }))).toBe('refused');
    expect(await kindOf(strict.request({ url: `http://2130706433:${first.port}/` }))).toBe('refused');
    expect(seen).toHaveLength(before);
    await strict.close();
  });

  it('checks the very address it dials, so that a name which changes gains nothing', async () => {
    let asked = 0;
    const answers: Address[][] = [
      [{ address: '93.184.216.34', family: 4 }],
      [{ address: '127.0.0.1', family: 4 }],
    ];
    const policy = createNetworkPolicy({ allow: [], resolve: async () => answers[asked++] ?? [] });
    await policy.check('rebind.example');
    const strict = createHttp({ policy, ...options });
    const before = seen.length;
    expect(await kindOf(strict.request({ url: `http://rebind.example:${first.port}/` }))).toBe('refused');
    expect(asked).toBe(2);
    expect(seen).toHaveLength(before);
    await strict.close();
  });

  it('refuses a redirect to a forbidden address', async () => {
    const policy = createNetworkPolicy({
      allow: ['git.example'],
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    const strict = createHttp({ policy, ...options });
    handler = (_request, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end();
    const request = { url: `http://git.example:${first.port}/`, redirect: 'follow' as const };
    expect(await kindOf(strict.request(request))).toBe('refused');
    await strict.close();
  });

  it('hands a redirect back unless asked to follow', async () => {
    handler = (_request, response) => response.writeHead(302, { location: '/next' }).end();
    const answer = await http.request({ url: `http://127.0.0.1:${first.port}/` });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/next']);
  });

  it('sends no credential to another port when it follows a redirect', async () => {
    handler = (_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${second.port}/taken` }).end();
    seen.length = 0;
    const answer = await http.request({
      url: `http://127.0.0.1:${first.port}/`,
      redirect: 'follow',
      headers: {
        Authorization: 'Bearer abcdefghijkl',
        'Private-Token': 'abc',
        'X-Any': '1',
        Accept: 'text/plain',
      },
    });
    expect(answer.text()).toBe('second');
    expect(answer.url).toBe(`http://127.0.0.1:${second.port}/taken`);
    const headers = seen.at(-1)?.headers ?? {};
    expect(headers.accept).toBe('text/plain');
    expect(Object.keys(headers)).not.toContain('authorization');
    expect(Object.keys(headers)).not.toContain('private-token');
    expect(Object.keys(headers)).not.toContain('x-any');
  });

  it('keeps credentials on a redirect within the origin', async () => {
    handler = (request, response) =>
      request.url === '/'
        ? response.writeHead(302, { location: '/in' }).end()
        : response.end(request.headers.authorization);
    const answer = await http.request({
      url: `http://127.0.0.1:${first.port}/`,
      redirect: 'follow',
      headers: { authorization: 'Bearer abcdefghijkl' },
    });
    expect(answer.text()).toBe('Bearer abcdefghijkl');
  });

  it('gives up on endless redirects', async () => {
    handler = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/`, redirect: 'follow' }))).toBe(
      'refused',
    );
  });

  it('stops reading a body over the limit, announced or not', async () => {
    handler = (_request, response) => response.end('x'.repeat(1_001));
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/` }))).toBe('too-large');
    handler = (_request, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    };
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/` }))).toBe('too-large');
    handler = (_request, response) => response.end('x'.repeat(1_000));
    expect((await http.request({ url: `http://127.0.0.1:${first.port}/` })).body).toHaveLength(1_000);
  });

  it('ends a request that takes too long, before and within the body', async () => {
    handler = () => undefined;
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/`, timeoutMs: 50 }))).toBe(
      'timeout',
    );
    handler = (_request, response) => {
      response.write('a');
    };
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/`, timeoutMs: 50 }))).toBe(
      'timeout',
    );
  });

  it('calls a dropped connection a network error', async () => {
    handler = (request) => request.socket.destroy();
    expect(await kindOf(http.request({ url: `http://127.0.0.1:${first.port}/` }))).toBe('network');
  });

  it.each(['ftp://h/x', 'file:///etc/passwd', 'nonsense', 'http://user:password@127.0.0.1/'])(
    'refuses the URL %s',
    async (url) => {
      expect(await kindOf(http.request({ url }))).toBe('refused');
    },
  );

  it('leaves credentials and queries out of its errors', async () => {
    handler = (request) => request.socket.destroy();
    const error = await http
      .request({
        url: `http://127.0.0.1:${first.port}/canary-path-value?sig=canary-query`,
        headers: { authorization: 'Bearer canary-bearer' },
        secrets: ['canary-path-value'],
      })
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(`GET http://127.0.0.1:${first.port}/`);
    expect(String(error)).not.toContain('canary');
  });

  it('hangs up when the reader of a stream stops early', async () => {
    const closed = Promise.withResolvers<void>();
    handler = (_request, response) => {
      response.on('close', closed.resolve);
      response.write('a'.repeat(100));
    };
    const { body, status } = await http.stream({ url: `http://127.0.0.1:${first.port}/` });
    expect(status).toBe(200);
    for await (const chunk of body) {
      expect(chunk.byteLength).toBe(100);
      break;
    }
    await closed.promise;
  });

  it('ends when its caller gives up', async () => {
    const stop = new AbortController();
    handler = () => stop.abort();
    const request = http.request({ url: `http://127.0.0.1:${first.port}/`, signal: stop.signal });
    expect(await kindOf(request)).toBe('network');
  });
});
