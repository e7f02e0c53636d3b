import { describe, type KubernetesObject, type ObjectRef, refOf } from '../core/object.ts';
import { parseBody, warningsOf } from './body.ts';
import type { KubeClient, PatchType, WriteOptions } from './client.ts';
import { objectPath, writePath } from './paths.ts';
import { applyQuery, deletionOf, writeQuery } from './queries.ts';
import { isSecret } from './refusal.ts';
import { confirmMissing, servedKind, type UserSession } from './session.ts';
import type { ApiRequest } from './transport.ts';

/** The part of a client that changes the cluster. */
export type Writes = Pick<
  KubeClient,
  'apply' | 'create' | 'update' | 'updateStatus' | 'patch' | 'delete' | 'createToken'
>;

/** Writes as one user. */
export function createWrites(session: UserSession): Writes {
  const { transport, discovery, headers } = session;

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
    const resource = await servedKind(session, ref, () => `${verb} ${describe(ref)}`);
    return write<T>(verb, ref, object, {
      method: 'PUT',
      path: `${objectPath(resource, ref.namespace, ref.name)}${subresource}${writeQuery(options)}`,
      headers: headers.json,
      // With a resourceVersion a second one can only be refused; without one it says the same again.
      idempotent: true,
      timeout: session.timeout,
      signal: options?.signal,
    });
  }

  return {
    async apply<T extends KubernetesObject>(
      object: KubernetesObject,
      options: Parameters<KubeClient['apply']>[1],
    ) {
      const ref = refOf(object);
      const resource = await servedKind(session, ref, () => `apply ${describe(ref)}`);
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
          timeout: session.applyTimeout,
          signal: options.signal,
        },
        options.onWarning,
      );
    },
    async create<T extends KubernetesObject>(object: KubernetesObject, options?: WriteOptions) {
      const ref = refOf(object);
      const resource = await servedKind(session, ref, () => `create ${describe(ref)}`);
      return write<T>('create', ref, object, {
        method: 'POST',
        path: `${writePath(resource, ref.namespace, ref.name)}${writeQuery(options)}`,
        headers: headers.json,
        idempotent: options?.dryRun === true,
        timeout: session.timeout,
        signal: options?.signal,
      });
    },
    update: (object, options) => replace(object, '', options),
    // The server keeps its own managed fields at a write of a subresource, and does not look at those it is sent.
    updateStatus: ({ metadata: { managedFields: _, ...metadata }, ...object }, options) =>
      replace({ ...object, metadata }, '/status', options),
    async patch<T extends KubernetesObject>(
      ref: ObjectRef,
      type: PatchType,
      body: unknown,
      options: Parameters<KubeClient['patch']>[3] = {},
    ) {
      const resource = await servedKind(session, ref, () => `patch ${describe(ref)}`);
      const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
      return write<T>('patch', ref, body, {
        method: 'PATCH',
        path: `${objectPath(resource, ref.namespace, ref.name)}${subresource}${writeQuery(options)}`,
        headers: headers[type === 'json' ? 'jsonPatch' : type],
        // A JSON patch may append to a list.
        idempotent: type !== 'json' || options.dryRun === true,
        timeout: session.timeout,
      });
    },
    async createToken({ namespace, name }, audiences, seconds) {
      const ref = { group: '', version: 'v1', kind: 'ServiceAccount', namespace, name };
      const what = `token of ${describe(ref)}`;
      const resource = await servedKind(session, ref, () => what);
      const reply = await transport.send(
        {
          method: 'POST',
          path: `${objectPath(resource, namespace, name)}/token`,
          headers: headers.json,
          body: JSON.stringify({
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenRequest',
            spec: { audiences, expirationSeconds: seconds },
          }),
          timeout: session.timeout,
          idempotent: true,
          subject: () => ({ what, secret: true }),
        },
        [404],
      );
      if (reply.code === 404) return undefined;
      const { status } = parseBody<{ status: { token: string; expirationTimestamp: string } }>(reply, what);
      return { token: status.token, expiresAt: Date.parse(status.expirationTimestamp) };
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
          timeout: session.timeout,
          // Without a uid a second deletion could hit an object that somebody created in between.
          idempotent: options.uid !== undefined || options.dryRun === true,
          subject: () => ({ what, secret: isSecret(ref) }),
        },
        [404],
      );
      if (reply.code !== 404) return true;
      await confirmMissing(session, reply, ref, what);
      return reply.maybeDone;
    },
  };
}
