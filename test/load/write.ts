import { type Condition, getCondition } from '../../lib/core/conditions.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { commitOf } from '../../lib/core/revision.ts';
import type { SeenWrite } from '../support/kube-proxy.ts';

/** A process of Slipway from its start to its end. */
export interface Life {
  /** The worker that it is a life of, such as `worker-2`; a worker has one life after the other. */
  worker: string;
  /** Counts the lives of all workers, from 1. */
  number: number;
}

/** A write of a process to the cluster, and what came of it. */
export interface Write
  extends Pick<SeenWrite, 'method' | 'arrivedAt' | 'forwardedAt' | 'answeredAt' | 'status'> {
  life: Life;
  /** Plural, such as `configmaps`. */
  resource: string;
  namespace: string;
  name: string;
  /** `status` or empty. */
  subresource: string;
  /** Kept back on its way until another process had taken over. */
  held: boolean;
  /** Of the object as the server answered; empty for a delete, or without success. */
  uid: string;
  /** Grows with every change in the cluster; 0 where there is none. */
  resourceVersion: number;
  /** What an object of a team says which commit wrote it; undefined for others. */
  commit?: number;
  /** What the condition Ready says of a Toolkit object. */
  ready?: string;
  /** The commits (ids) that a status names. */
  revisions: { attempted?: string; applied?: string; artifact?: string };
}

interface Answer extends KubernetesObject {
  data?: { commit?: string };
  status?: {
    conditions?: Condition[];
    lastAttemptedRevision?: string;
    lastAppliedRevision?: string;
    artifact?: { revision?: string };
  };
}

/** `/api/v1/namespaces/team-1/configmaps/object-1`, `/apis/<group>/<version>/…`, and the query behind it. */
const PATH =
  /^\/api(?:s\/[^/]+)?\/[^/]+(?:\/namespaces\/(?<namespace>[^/?]+)(?=\/))?\/(?<resource>[^/?]+)(?:\/(?<name>[^/?]+))?(?:\/(?<subresource>[^/?]+))?/;

/** What of the cluster a path names. */
export function partsOf(path: string): Record<string, string | undefined> {
  return PATH.exec(path)?.groups ?? {};
}

/** Reads a write that has passed the proxy. */
export function readWrite(life: Life, seen: SeenWrite, held: boolean): Write {
  const { namespace = '', resource = '', name = '', subresource = '' } = partsOf(seen.path);
  const { method, arrivedAt, forwardedAt, answeredAt, status } = seen;
  const object = isSuccess(seen) && method !== 'DELETE' ? (JSON.parse(seen.answer) as Answer) : undefined;
  const commit = object?.data?.commit;
  const ready = getCondition(object?.status?.conditions, 'Ready')?.status;
  const { lastAttemptedRevision, lastAppliedRevision, artifact } = object?.status ?? {};
  return {
    ...{ life, method, arrivedAt, forwardedAt, answeredAt, status, held },
    ...{ namespace, resource, name: name || (object?.metadata.name ?? ''), subresource },
    uid: object?.metadata.uid ?? '',
    resourceVersion: Number(object?.metadata.resourceVersion ?? 0),
    ...(commit === undefined ? {} : { commit: Number(commit) }),
    ...(ready === undefined ? {} : { ready }),
    revisions: {
      ...(lastAttemptedRevision ? { attempted: commitOf(lastAttemptedRevision) } : {}),
      ...(lastAppliedRevision ? { applied: commitOf(lastAppliedRevision) } : {}),
      ...(artifact?.revision ? { artifact: commitOf(artifact.revision) } : {}),
    },
  };
}

/** Whether the API server took a write. */
export function isSuccess({ status }: Pick<Write, 'status'>): boolean {
  return status >= 200 && status < 300;
}

/**
 * The writes that changed the cluster, in the order in which it took them. An apply that changes nothing is answered with the version that
 * was there before.
 */
export function effectiveWrites(writes: readonly Write[]): Write[] {
  const seen = new Set<string>();
  return writes
    .filter((write) => isSuccess(write) && write.resourceVersion > 0)
    .sort((a, b) => a.resourceVersion - b.resourceVersion || a.forwardedAt - b.forwardedAt)
    .filter(({ uid, resourceVersion }) => {
      const key = `${uid} ${resourceVersion}`;
      return !seen.has(key) && seen.add(key);
    });
}
