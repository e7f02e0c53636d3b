import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseImageName } from '../../lib/core/image-name.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { parseDockerConfig } from '../../lib/oci/docker-config.ts';
import { createRegistries, type ImageAccess, type RemoteImage } from '../../lib/oci/registries.ts';
import { certificates } from '../support/certificates.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const many = Array.from({ length: 10_000 }, (_, i) => `v1.${Math.floor(i / 100)}.${i % 100}-build.${i}`);
const registries = createRegistries({
  policy: createNetworkPolicy({ allow: ['127.0.0.1'] }),
  timeoutMs: 30_000,
  userAgent: 'slipway/test',
  now: Date.now,
});
const { signal } = new AbortController();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry({ user: { name: 'user', password: 'secret password' } });
});
afterAll(async () => {
  await registries.close();
  await registry.stop();
});

function open(at: Registry, repository: string, access: Partial<ImageAccess> = {}): RemoteImage {
  const parsed = parseImageName(`${at.host}/${repository}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const credentials = parseDockerConfig(
    { '.dockerconfigjson': Buffer.from(at.dockerConfig()) },
    'Secret/a/b',
  );
  return registries.open(parsed.name, { credentials, insecure: true, signal, ...access });
}

test('a real registry gives its tags, digests and manifests', async () => {
  const digest = await registry.push('team/app', 'v1.0.0');
  const index = await registry.push('team/app', 'v1.1.0', { index: true });
  const image = open(registry, 'team/app');
  expect((await image.tags())?.tags).toEqual(['v1.0.0', 'v1.1.0']);
  expect(await image.resolve('v1.0.0')).toBe(digest);
  expect(await image.resolve('v1.1.0')).toBe(index);
  expect((await image.manifest('v1.1.0'))?.mediaType).toBe('application/vnd.oci.image.index.v1+json');
  expect((await image.manifest(digest))?.digest).toBe(digest);
  expect(await image.resolve('v9')).toBeUndefined();
});

test('a real registry refuses whom it does not know, and has no tags of what it does not have', async () => {
  await expect(open(registry, 'team/app', { credentials: [] }).tags()).rejects.toMatchObject({
    fault: 'auth',
  });
  await expect(open(registry, 'team/none').tags()).rejects.toMatchObject({ fault: 'not-found' });
});

test('ten thousand tags are listed within 64 MiB', async () => {
  await registry.pushMany('team/many', many);
  const image = open(registry, 'team/many');
  await image.resolve('v1.0.0-build.0');
  const before = process.memoryUsage();
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  const list = await image.tags();
  clearInterval(look);
  expect(new Set(list?.tags)).toEqual(new Set(many));
  expect(Math.max(most, process.memoryUsage().rss) - before.rss).toBeLessThan(64 * 1024 * 1024);
});

test('a certificate is trusted by its authority only, and a client shows its own where that is asked for', async () => {
  const { ca, server, client } = await certificates();
  const secured = await startRegistry({ tls: { ...server, clientCa: ca } });
  try {
    const access = { insecure: false, credentials: [] };
    await expect(open(secured, 'team/app', access).tags()).rejects.toThrow(/spec\.certSecretRef/);
    await expect(open(secured, 'team/app', { ...access, tls: { ca } }).tags()).rejects.toMatchObject({
      fault: 'unavailable',
    });
    const image = open(secured, 'team/app', { ...access, tls: { ca, client } });
    await expect(image.tags()).rejects.toMatchObject({ fault: 'not-found' });
  } finally {
    await secured.stop();
  }
});
