import {
  describe,
  formatApiVersion,
  type GroupVersionKind,
  type KubernetesObject,
  type ObjectRef,
} from '../core/object.ts';
import { parseBody } from './body.ts';
import type { KubeClient, PartialObject } from './client.ts';
import { listAll } from './list.ts';
import { collectionPath, objectPath } from './paths.ts';
import { isSecret } from './refusal.ts';
import { confirmMissing, servedKind, type UserSession } from './session.ts';
import { watchEvents } from './watch.ts';

/** The part of a client that changes nothing. */
export type Reads = Pick<
  KubeClient,
  'get' | 'getMetadata' | 'list' | 'listMetadata' | 'watch' | 'watchMetadata' | 'raw'
>;

/** Reads as one user. */
export function createReads(session: UserSession): Reads {
  const { transport, discovery, headers } = session;

  async function read<T>(verb: string, ref: ObjectRef, wanted: readonly string[]): Promise<T | undefined> {
    const resource = await discovery.resource(ref);
    if (!resource) return undefined;
    const what = (): string => `${verb} ${describe(ref)}`;
    const reply = await transport.send(
      {
        method: 'GET',
        path: objectPath(resource, ref.namespace, ref.name),
        headers: wanted,
        timeout: session.timeout,
        idempotent: true,
        isListed: true,
        subject: () => ({ what: what(), secret: isSecret(ref) }),
      },
      [404],
    );
    if (reply.code !== 404) return parseBody<T>(reply, what());
    await confirmMissing(session, reply, ref, what());
    return undefined;
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
          timeout: session.timeout,
          signal: options?.signal,
          idempotent: true,
          subject: () => ({ what, secret: isSecret(gvk) }),
        },
        [404, ...accepted],
      );
      if (reply.code === 404) {
        await confirmMissing(session, reply, gvk, what);
        return 'missing';
      }
      return reply.code === 410 ? 'expired' : parseBody(reply, what);
    });
  }

  async function* watched<T extends KubernetesObject>(
    gvk: GroupVersionKind,
    options: Parameters<KubeClient['watch']>[1],
    wanted: readonly string[],
  ) {
    const what = `watch ${gvk.kind}`;
    const resource = await servedKind(session, gvk, () => what);
    const query = new URLSearchParams({ resourceVersion: options.resourceVersion });
    if (options.labelSelector) query.set('labelSelector', options.labelSelector);
    if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
    yield* watchEvents<T>(session.watchPool(), transport, {
      path: collectionPath(resource, options.namespace ?? ''),
      query,
      headers: wanted,
      what,
      secret: isSecret(gvk),
      signal: options.signal,
      now: session.now,
    });
  }

  return {
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
    watch: (gvk, options) => watched(gvk, options, headers.json),
    async *watchMetadata(gvk, options) {
      const { kind } = gvk;
      const apiVersion = formatApiVersion(gvk);
      for await (const { type, object } of watched(gvk, options, headers.metadata))
        yield { type, object: { apiVersion, kind, metadata: object.metadata } };
    },
    async raw<T>(path: string) {
      const what = `get ${path}`;
      const reply = await transport.send({
        method: 'GET',
        path,
        headers: headers.json,
        timeout: session.timeout,
        idempotent: true,
        subject: () => ({ what, secret: false }),
      });
      return parseBody<T>(reply, what);
    },
  };
}
