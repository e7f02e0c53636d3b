import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgeHttp } from '../../../infra/edge/edge-http.ts';
import { createNetworkPolicy } from '../../../lib/network.ts';

let server: Server;
let url: string;
let asked: string[];
beforeAll(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers['user-agent']}`);
    if (request.url === '/never') return;
    if (request.url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/' });
    response.end(request.url === '/large' ? 'x'.repeat(1_001) : 'ünïcödé');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function http(allow: string[] = ['127.0.0.1']) {
  return edgeHttp({
    policy: createNetworkPolicy({ allow }),
    timeoutMs: 5_000,
    maxBytes: 1_000,
    userAgent: 'slipway',
  });
}

test('an answer is read, and a redirect is one', async () => {
  const answer = await http().request({ url: `${url}/it` });
  expect([answer.status, answer.text()]).toEqual([200, 'ünïcödé']);
  expect(asked).toContain('/it slipway');
  expect((await http().request({ url: `${url}/away` })).status).toBe(302);
  const following = http().request({ url: `${url}/away`, redirect: 'follow' });
  await expect(following).rejects.toMatchObject({ name: 'HttpError', kind: 'refused' });
});

test('an answer over the limit, or none in time, is an error that says so', async () => {
  const large = http().request({ url: `${url}/large` });
  await expect(large).rejects.toMatchObject({ name: 'HttpError', kind: 'too-large' });
  expect((await http().request({ url: `${url}/large`, maxBytes: 1_001 })).body).toHaveLength(1_001);
  const never = http().request({ url: `${url}/never`, timeoutMs: 50 });
  await expect(never).rejects.toMatchObject({ kind: 'timeout', message: expect.stringContaining('50 ms') });
});

test('an address that the network policy refuses is not asked, however it is written', async () => {
  const before = asked.length;
  const { port } = new URL(url);
  for (const host of ['127.0.0.1', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254'])
    await expect(http([]).request({ url: `http://${host}:${port}/` }), host).rejects.toMatchObject({
      kind: 'refused',
    });
  expect(asked).toHaveLength(before);
});

test('an error holds neither the query nor what is secret', async () => {
  const request = { url: `http://127.0.0.1:1/path-s3cr3t?token=hidden`, secrets: ['path-s3cr3t'] };
  const failed = await http()
    .request(request)
    .catch((error: Error) => error.message);
  expect(failed).toMatch(/^GET http:\/\/127\.0\.0\.1:1\//);
  expect(failed).not.toMatch(/hidden|s3cr3t/);
});
