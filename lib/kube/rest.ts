import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { GroupVersionKind, KubernetesObject, ObjectRef } from '../core/object.ts';
import { describe, formatApiVersion, refOf } from '../core/object.ts';
import type { NetworkPolicy } from '../network.ts';
import { parseBody, warningsOf } from './body.ts';
import type { ApiResource, KubeClient, PartialObject, PatchType, WriteOptions } from './client.ts';
import type { KubeConnection } from './connection.ts';
import { openPool } from './connection.ts';
import { createDiscovery, type Discovery, type DiscoveryAnswer } from './discovery.ts';
import { KubeError } from './errors.ts';
import { type Identity, identityHeaders } from './headers.ts';
import { listAll } from './list.ts';
import { collectionPath, objectPath, writePath } from './paths.ts';
import { applyQuery, deletionOf, writeQuery } from './queries.ts';
import { isSecret, statusOf } from './refusal.ts';
import type { RetryOptions } from './retry.ts';
import { type ApiRequest, createTransport, type Reply, type Transport } from './transport.ts';
import { watchEvents } from './watch.ts';

/** Options of {@link createKubeClient}. */
export interface KubeClientOptions {
  /** Connections kept to the server at most; watches have their own. Default: 32. */
  connections?: number;
  /** For a request that is not an apply, in ms. Default: 30 s. */
  timeout?: number;
  /** For a server-side apply, in ms: large objects take the server long. Default: 60 s. */
  applyTimeout?: number;
  /** For connecting, in ms. Default: 10 s. */
  connectTimeout?: number;
  /** Decides which addresses may be dialled; all when missing. */
  network?: NetworkPolicy;
  retry?: Partial<RetryOptions>;
  /** Default: `slipway`. */
  userAgent?: string;
}

interface Shared {
  pool: Pool;
  /** Watches stay open, so they must not take connections from requests. */
  watchPool: () => Pool;
  transport: Transport;
  discovery: Discovery;
  timeout: number;
  applyTimeout: number;
  userAgent: string;
  now: () => number;
  close: () => Promise<void>;
}

/**
 * A client for one cluster. It connects when first used.
 * @throws TypeError when `server` is not a URL
 */
export function createKubeClient(connection: KubeConnection, options: KubeClientOptions = {}): KubeClient {
  const retry: RetryOptions = {
    attempts: 8,
    budget: 60_000,
    baseDelay: 100,
    maxDelay: 5_000,
    now: Date.now,
    sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
    random: Math.random,
    ...options.retry,
  };
  const poolOptions = {
    connectTimeout: options.connectTimeout ?? 10_000,
    network: options.network,
  };
  const pool = openPool(connection, { ...poolOptions, connections: options.connections ?? 32 });
  const transport = createTransport(connection, pool, retry);
  const userAgent = options.userAgent ?? 'slipway';
  const timeout = options.timeout ?? 30_000;
  let watchPool: Pool | undefined;
  return clientAs(undefined, {
    pool,
    watchPool: () => {
      watchPool ??= openPool(connection, { ...poolOptions, connections: null });
      return watchPool;
    },
    transport,
    discovery: createDiscovery((path, etag) => discover(transport, userAgent, timeout, path, etag)),
    timeout,
    applyTimeout: options.applyTimeout ?? 60_000,
    userAgent,
    now: retry.now,
    close: async () => {
      await Promise.all([pool.close(), watchPool?.destroy()]);
    },
  });
}

async function discover(
  transport: Transport,
  userAgent: string,
  timeout: number,
  path: string,
  etag: string | undefined,
): Promise<DiscoveryAnswer> {
  const { discovery } = identityHeaders(undefined, userAgent);
  const reply = await transport.send(
    {
      method: 'GET',
      path,
      headers: etag === undefined ? discovery : [...discovery, 'if-none-match', etag],
      timeout,
      idempotent: true,
      subject: () => ({ what: `discovery of ${path}`, secret: false }),
    },
    [304],
  );
  if (reply.code === 304) return 'unchanged';
  const tag = reply.headers.etag;
  return { document: parseBody(reply, `discovery of ${path}`), etag: tag };
}

function clientAs(identity: Identity | undefined, shared: Shared): KubeClient {
  const { transport, discovery } = shared;
  const headers = identityHeaders(identity, shared.userAgent);

  async function known(gvk: GroupVersionKind, what: () => string): Promise<ApiResource> {
    const resource = await discovery.resource(gvk);
    if (resource) return resource;
    throw new KubeError(
      404,
      `${what()}: no matches for kind "${gvk.kind}" in version "${formatApiVersion(gvk)}"`,
      {
        status: { reason: 'NotFound', details: { kind: gvk.kind, group: gvk.group } },
      },
    );
  }

  /** A 404 without a Status means that the path is not served: forget what discovery said, and don't believe it blindly. */
  async function confirmMissing(reply: Reply, gvk: GroupVersionKind, what: string): Promise<void> {
    if (statusOf(reply)?.reason === 'NotFound') return;
    discovery.invalidate();
    if ((await discovery.resource(gvk)) === undefined) return;
    throw new KubeError(
      0,
      `${what}: answered 404 without saying what is missing; is the address that of a Kubernetes API server?`,
    );
  }

  async function read<T>(verb: string, ref: ObjectRef, wanted: readonly string[]): Promise<T | undefined> {
    const resource = await discovery.resource(ref);
    if (!resource) return undefined;
    const what = (): string => `${verb} ${describe(ref)}`;
    const reply = await transport.send(
      {
        method: 'GET',
        path: objectPath(resource, ref.namespace, ref.name),
        headers: wanted,
        timeout: shared.timeout,
        idempotent: true,
        subject: () => ({ what: what(), secret: isSecret(ref) }),
      },
      [404],
    );
    if (reply.code !== 404) return parseBody<T>(reply, what());
    await confirmMissing(reply, ref, what());
    return undefined;
  }

  async function write<T>(
    verb: string,
    ref: ObjectRef,
    body: unknown,
    request: Pick<ApiRequest, 'method' | 'path' | 'headers' | 'idempotent' | 'timeout' | 'signal'>,
    onWarning?: (warning: string) => void,
  ): Promise<T> {
    const reply = await transport.send({
      ...request,
      body: JSON.stringify(body),
      subject: () => ({ what: `${verb} ${describe(ref)}`, secret: isSecret(ref), body }),
    });
    if (onWarning) for (const warning of warningsOf(reply)) onWarning(warning);
    return parseBody<T>(reply, `${verb} ${describe(ref)}`);
  }

  async function replace<T>(
    object: KubernetesObject,
    subresource: '' | '/status',
    options: WriteOptions | undefined,
  ): Promise<T> {
    const ref = refOf(object);
    const verb = subresource === '' ? 'update' : 'update status of';
    const resource = await known(ref, () => `${verb} ${describe(ref)}`);
    return write<T>(verb, ref, object, {
      method: 'PUT',
      path: `${objectPath(resource, ref.namespace, ref.name)}${subresource}${writeQuery(options)}`,
      headers: headers.json,
      // With a resourceVersion a second one can only be refused; without one it says the same again.
      idempotent: true,
      timeout: shared.timeout,
      signal: options?.signal,
    });
  }

  async function listed<T extends PartialObject>(
    gvk: GroupVersionKind,
    options: Parameters<KubeClient['list']>[1],
    wanted: readonly string[],
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const resource = await discovery.resource(gvk);
    if (!resource) return { items: [], resourceVersion: '' };
    const what = `list ${gvk.kind}`;
    return listAll<T>(gvk, options, async (query, accepted) => {
      const reply = await transport.send(
        {
          method: 'GET',
          path: `${collectionPath(resource, options?.namespace ?? '')}?${query}`,
          headers: wanted,
          timeout: shared.timeout,
          signal: options?.signal,
          idempotent: true,
          subject: () => ({ what, secret: isSecret(gvk) }),
        },
        [404, ...accepted],
      );
      if (reply.code === 404) {
        await confirmMissing(reply, gvk, what);
        return 'missing';
      }
      return reply.code === 410 ? 'expired' : parseBody(reply, what);
    });
  }

  return {
    as: (user, groups = []) => clientAs({ user, groups }, shared),
    resource: (gvk) => discovery.resource(gvk),
    preferred: (group, kind) => discovery.preferred(group, kind),
    resources: () => discovery.resources(),
    invalidate: () => discovery.invalidate(),
    get: (ref) => read('get', ref, headers.json),
    async getMetadata(ref) {
      const object = await read<PartialObject>('get', ref, headers.metadata);
      return object && { apiVersion: formatApiVersion(ref), kind: ref.kind, metadata: object.metadata };
    },
    list: (gvk, options) => listed(gvk, options, headers.json),
    async listMetadata(gvk, options) {
      const { items, resourceVersion } = await listed<PartialObject>(gvk, options, headers.metadataList);
      const { kind } = gvk;
      const apiVersion = formatApiVersion(gvk);
      return { items: items.map(({ metadata }) => ({ apiVersion, kind, metadata })), resourceVersion };
    },
    async apply<T extends KubernetesObject>(
      object: KubernetesObject,
      options: Parameters<KubeClient['apply']>[1],
    ) {
      const ref = refOf(object);
      const resource = await known(ref, () => `apply ${describe(ref)}`);
      const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
      const query = applyQuery(options);
      return write<T>(
        'apply',
        ref,
        object,
        {
          method: 'PATCH',
          path: `${objectPath(resource, ref.namespace, ref.name)}${subresource}?${query}`,
          headers: headers.apply,
          idempotent: true,
          timeout: shared.applyTimeout,
          signal: options.signal,
        },
        options.onWarning,
      );
    },
    async create<T extends KubernetesObject>(object: KubernetesObject, options?: WriteOptions) {
      const ref = refOf(object);
      const resource = await known(ref, () => `create ${describe(ref)}`);
      return write<T>('create', ref, object, {
        method: 'POST',
        path: `${writePath(resource, ref.namespace, ref.name)}${writeQuery(options)}`,
        headers: headers.json,
        idempotent: options?.dryRun === true,
        timeout: shared.timeout,
        signal: options?.signal,
      });
    },
    update: (object, options) => replace(object, '', options),
    updateStatus: (object, options) => replace(object, '/status', options),
    async patch<T extends KubernetesObject>(
      ref: ObjectRef,
      type: PatchType,
      body: unknown,
      options: Parameters<KubeClient['patch']>[3] = {},
    ) {
      const resource = await known(ref, () => `patch ${describe(ref)}`);
      const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
      return write<T>('patch', ref, body, {
        method: 'PATCH',
        path: `${objectPath(resource, ref.namespace, ref.name)}${subresource}${writeQuery(options)}`,
        headers: headers[type === 'json' ? 'jsonPatch' : type],
        // A JSON patch may append to a list.
        idempotent: type !== 'json' || options.dryRun === true,
        timeout: shared.timeout,
      });
    },
    async delete(ref, options = {}) {
      const resource = await discovery.resource(ref);
      if (!resource) return false;
      const what = `delete ${describe(ref)}`;
      const reply = await transport.send(
        {
          method: 'DELETE',
          path: objectPath(resource, ref.namespace, ref.name),
          headers: headers.json,
          body: JSON.stringify(deletionOf(options)),
          timeout: shared.timeout,
          // Without a uid a second deletion could hit an object that somebody created in between.
          idempotent: options.uid !== undefined || options.dryRun === true,
          subject: () => ({ what, secret: isSecret(ref) }),
        },
        [404],
      );
      if (reply.code !== 404) return true;
      await confirmMissing(reply, ref, what);
      return reply.maybeDone;
    },
    async *watch<T extends KubernetesObject>(
      gvk: GroupVersionKind,
      options: Parameters<KubeClient['watch']>[1],
    ) {
      const what = `watch ${gvk.kind}`;
      const resource = await known(gvk, () => what);
      const query = new URLSearchParams({ resourceVersion: options.resourceVersion });
      if (options.labelSelector) query.set('labelSelector', options.labelSelector);
      if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
      yield* watchEvents<T>(shared.watchPool(), transport, {
        path: collectionPath(resource, options.namespace ?? ''),
        query,
        headers: headers.json,
        what,
        secret: isSecret(gvk),
        signal: options.signal,
        now: shared.now,
      });
    },
    async raw<T>(path: string) {
      const what = `get ${path}`;
      const reply = await transport.send({
        method: 'GET',
        path,
        headers: headers.json,
        timeout: shared.timeout,
        idempotent: true,
        subject: () => ({ what, secret: false }),
      });
      return parseBody<T>(reply, what);
    },
    close: () => shared.close(),
  };
}
