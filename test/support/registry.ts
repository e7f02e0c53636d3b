/**
 * A real container registry for tests: CNCF Distribution on a free port of 127.0.0.1.
 *
 *     const registry = await startRegistry({ notify: [{ url: 'http://127.0.0.1:8080/…' }], user: { name: 'u', password: 'p' } });
 *     const digest = await registry.push('team/app', 'v1.0.0');        // a small image; `${registry.host}/team/app:v1.0.0`
 *     await registry.push('team/app', 'v1.0.1', { content: 'other' }); // other content, another digest
 *     await registry.delete('team/app', 'v1.0.0');
 *     await registry.stop();
 *
 * It never outlives the process that started it, even when that is killed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registryLocation } from '../../infra/testservers/location.ts';
import { freePort } from './ports.ts';
import { type Server, startServer, waitUntilReady } from './process.ts';
import { type RegistrySettings, type RegistryUser, registrySettings } from './registry-settings.ts';

/** How a registry is started. */
export interface RegistryOptions extends Pick<RegistrySettings, 'notify' | 'tls'> {
  /** Who may do anything; without it, everybody may. */
  user?: RegistryUser;
  /** Where it listens; any free port when absent. */
  port?: number;
}

export interface PushOptions {
  /** What makes the image differ from others; default: its repository and tag. */
  content?: string;
  /** Pushes an index that names the image, as images for several platforms are. */
  index?: boolean;
}

export interface Registry {
  /** Host and port, as images name it. */
  host: string;
  /** URL without a slash at the end. */
  url: string;
  server: Server;
  /** Pushes a small image. @returns its digest */
  push(repository: string, tag: string, options?: PushOptions): Promise<string>;
  /** Gives many tags to one image, as if each had been pushed; no notifications are sent for them. */
  pushMany(repository: string, tags: readonly string[]): Promise<void>;
  /** Deletes a tag. */
  delete(repository: string, tag: string): Promise<void>;
  /** Value of the Secret key `.dockerconfigjson` that opens it. */
  dockerConfig(): string;
  stop(): Promise<void>;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Starts the registry and waits until it answers (under a second). */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { binary } = registryLocation();
  if (!existsSync(binary))
    throw new Error(`No registry at ${binary}. Build it with: npm run build:testservers`);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const port = options.port ?? (await freePort());
  const host = `127.0.0.1:${port}`;
  const url = `${options.tls ? 'https' : 'http'}://${host}`;
  const { user } = options;
  const headers: Record<string, string> = user
    ? { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` }
    : {};
  await writeFile(
    join(directory, 'config.yaml'),
    await registrySettings({ ...options, directory, port, ...(user ? { user } : {}) }),
    { mode: 0o600 },
  );
  const server = await startServer({
    name: 'registry',
    command: binary,
    args: ['serve', join(directory, 'config.yaml')],
    logFile: join(directory, 'registry.log'),
    cwd: directory,
    env: { PATH: '/usr/bin:/bin', OTEL_TRACES_EXPORTER: 'none' },
    scratch: directory,
  });
  await waitUntilReady(server, async () => {
    const answer: unknown = await fetch(`${url}/v2/`).catch(
      (error: { cause?: { code?: string } }) => error.cause,
    );
    // With a certificate that fetch does not know, that the port is open is all that can be seen.
    return answer instanceof Response || (answer as { code?: string } | undefined)?.code !== 'ECONNREFUSED';
  });

  async function call(method: string, path: string, body?: string, type?: string): Promise<Response> {
    const target = path.startsWith('http') ? path : `${url}${path}`;
    const answer = await fetch(target, {
      method,
      headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    if (!answer.ok)
      throw new Error(`The registry answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
    return answer;
  }

  async function pushBlob(repository: string, content: string): Promise<{ digest: string; size: number }> {
    const digest = digestOf(content);
    const upload = await call('POST', `/v2/${repository}/blobs/uploads/`);
    const location = new URL(upload.headers.get('location') ?? '', url);
    location.searchParams.set('digest', digest);
    await call('PUT', location.href, content, 'application/octet-stream');
    return { digest, size: Buffer.byteLength(content) };
  }

  async function push(
    repository: string,
    tag: string,
    { content, index }: PushOptions = {},
  ): Promise<string> {
    const config = await pushBlob(repository, JSON.stringify({ content: content ?? `${repository}:${tag}` }));
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, ...config },
      layers: [],
    });
    const digest = digestOf(manifest);
    if (index !== true) {
      await call('PUT', `/v2/${repository}/manifests/${tag}`, manifest, MANIFEST);
      return digest;
    }
    await call('PUT', `/v2/${repository}/manifests/${digest}`, manifest, MANIFEST);
    const platform = { architecture: 'amd64', os: 'linux' };
    const size = Buffer.byteLength(manifest);
    const list = JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType: MANIFEST, digest, size, platform }],
    });
    await call('PUT', `/v2/${repository}/manifests/${tag}`, list, INDEX);
    return digestOf(list);
  }

  return {
    host,
    url,
    server,
    push,
    async pushMany(repository, tags) {
      const [first, ...rest] = tags;
      if (first === undefined) return;
      const digest = await push(repository, first);
      // The registry's own layout of its storage: ten thousand pushes would take half a minute.
      const folder = join(directory, 'data/docker/registry/v2/repositories', repository, '_manifests/tags');
      for (const tag of rest) {
        await mkdir(join(folder, tag, 'current'), { recursive: true });
        await writeFile(join(folder, tag, 'current/link'), digest);
      }
    },
    async delete(repository, tag) {
      await call('DELETE', `/v2/${repository}/manifests/${tag}`);
    },
    dockerConfig() {
      const { name, password } = user ?? { name: '', password: '' };
      return JSON.stringify({ auths: { [host]: { username: name, password } } });
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function digestOf(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
