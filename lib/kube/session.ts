import type { Pool } from 'undici';
import { formatApiVersion, type GroupVersionKind } from '../core/object.ts';
import type { ApiResource } from './client.ts';
import type { Discovery } from './discovery.ts';
import { KubeError } from './errors.ts';
import type { KindHeaders } from './headers.ts';
import { statusOf } from './refusal.ts';
import type { Reply, Transport } from './transport.ts';

/** What all clients of one cluster share, whomever they act as. */
export interface Session {
  transport: Transport;
  discovery: Discovery;
  /** Watches stay open, so they must not take connections from requests. */
  watchPool: () => Pool;
  /** In ms. */
  timeout: number;
  /** In ms. */
  applyTimeout: number;
  /** Epoch in ms. */
  now: () => number;
}

/** A session as one user. */
export interface UserSession extends Session {
  headers: KindHeaders;
}

/** What discovery says of a kind. @throws KubeError 404 when the server does not serve it */
export async function servedKind(
  { discovery }: Session,
  gvk: GroupVersionKind,
  what: () => string,
): Promise<ApiResource> {
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
export async function confirmMissing(
  { discovery }: Session,
  reply: Reply,
  gvk: GroupVersionKind,
  what: string,
): Promise<void> {
  if (statusOf(reply)?.reason === 'NotFound') return;
  discovery.invalidate();
  if ((await discovery.resource(gvk)) === undefined) return;
  throw new KubeError(
    0,
    `${what}: answered 404 without saying what is missing; is the address that of a Kubernetes API server?`,
  );
}
