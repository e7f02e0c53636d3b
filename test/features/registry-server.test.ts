import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const heard: string[] = [];
const listener = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => {
    body += part.toString();
  });
  request.on('end', () => {
    const { events } = JSON.parse(body) as {
      events: { action: string; target: { repository: string; tag?: string } }[];
    };
    for (const { action, target } of events) heard.push(`${action} ${target.repository}:${target.tag ?? ''}`);
    response.end();
  });
});
let registry: Registry;

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  registry = await startRegistry({
    user: { name: 'user', password: 'secret password' },
    notify: [{ url: `http://127.0.0.1:${port}/` }],
  });
});
afterAll(async () => {
  await registry.stop();
  listener.close();
});

test('the registry of the tests keeps images, wants its user and tells of pushes', async () => {
  const digest = await registry.push('team/app', 'v1.0.0');
  await registry.pushMany('team/app', ['v1.0.1', 'v1.0.2']);
  expect((await fetch(`${registry.url}/v2/team/app/tags/list`)).status).toBe(401);
  const authorization = `Basic ${Buffer.from('user:secret password').toString('base64')}`;
  const list = await fetch(`${registry.url}/v2/team/app/tags/list`, { headers: { authorization } });
  expect(await list.json()).toEqual({ name: 'team/app', tags: ['v1.0.0', 'v1.0.1', 'v1.0.2'] });
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const head = await fetch(`${registry.url}/v2/team/app/manifests/v1.0.0`, {
    method: 'HEAD',
    headers: { authorization, accept },
  });
  expect(head.headers.get('docker-content-digest')).toBe(digest);
  await eventually('the push is told', async () => heard.includes('push team/app:v1.0.0'));
});
