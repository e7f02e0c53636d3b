import { CLUSTER } from './cluster-name.ts';
import type { Evidence } from './evidence.ts';
import { TEAM } from './story.ts';
import { isSuccess, type Write } from './write.ts';

/** A write of a worker that another had taken over from before the write was passed on to the API server. */
export interface StaleWrite {
  write: Write;
  /** What the right to it was lost to, in words. */
  lostTo: string;
  /**
   * Whether the new holder had come to the object before, or had ended its run. Until then a late write is as good as one that came before the
   * takeover: the new holder finds it there. From then on it must not take effect.
   */
  isOverruled: boolean;
}

/** What lets a worker write to an object: the name of the lease. Only the objects of teams and their owners have one of interest. */
export function ownerOf({ resource, namespace }: Pick<Write, 'resource' | 'namespace'>): string | undefined {
  if (!namespace.startsWith(TEAM)) return undefined;
  if (resource === 'gitrepositories') return `${CLUSTER}/GitRepository/${namespace}/app`;
  return resource === 'configmaps' || resource === 'kustomizations'
    ? `${CLUSTER}/Kustomization/${namespace}/app`
    : undefined;
}

/** Whether after this write of its new holder an object must not be written by the old one any more. */
export function overrules(
  write: Write,
  { resource, namespace, name }: Pick<Write, 'resource' | 'namespace' | 'name'>,
): boolean {
  if (write.namespace !== namespace) return false;
  const isItself = write.resource === resource && write.name === name;
  // A run that found an object as it should be does not write to it.
  const hasEnded = write.resource === 'kustomizations' && resource === 'configmaps' && write.ready === 'True';
  return isItself || hasEnded;
}

/**
 * The writes to objects of teams that reached the API server when their worker had lost the right to them, whether they took effect or not.
 * Where leases were watched they decide; otherwise whichever process is the younger one, since an installation has one at a time.
 */
export function staleWrites({ writes, leases }: Pick<Evidence, 'writes' | 'leases'>): StaleWrite[] {
  const takeovers = leases.length > 0 ? takeoversByLease(leases) : takeoversByLife(writes);
  const byNamespace = Map.groupBy(writes, ({ namespace }) => namespace);
  return writes.flatMap((write) => {
    // The status of a Kustomization may be moved on by the run of its source: its own lease does not tell of that.
    if (write.resource !== 'configmaps' && !write.held) return [];
    const lost = lossOf(write, takeovers.get(ownerOf(write) ?? '') ?? []);
    if (!lost || lost.at >= write.forwardedAt) return [];
    const isOverruled = (byNamespace.get(write.namespace) ?? []).some(
      (other) =>
        isSuccess(other) &&
        (other.life === lost.life || other.life !== write.life) &&
        other.arrivedAt >= lost.at &&
        other.answeredAt < write.forwardedAt &&
        overrules(other, write),
    );
    const lostTo = `${lost.life.worker} (life ${lost.life.number}) at ${new Date(lost.at).toISOString()}`;
    return [{ write, lostTo, isOverruled }];
  });
}

/** When the right that a worker had when it sent a write, or had had before, went to somebody else or to a later run of its own. */
function lossOf(write: Write, takeovers: readonly Takeover[]): Takeover | undefined {
  const own = takeovers.findLastIndex(({ at, life }) => life === write.life && at <= write.arrivedAt);
  return takeovers[own + 1];
}

/** What must not become of a stale write. */
export const TOOK_EFFECT = 'took effect';

/**
 * What may: an API server has no means to refuse the creation of an object that was deleted meanwhile. The new holder looks for it for a
 * while and removes it again, so that it is not there at the end.
 */
export const CREATED = 'created what had been deleted';

/**
 * What became of a stale write: `took effect`, `created what had been deleted`, `came before the new holder` to the object, `no change` where
 * that was as the write wanted it, or the status of the refusal (0: no answer).
 * @param effective the writes that changed the cluster; a delete has no version to tell it by, and succeeds only when it does
 */
export function effectOf({ write, isOverruled }: StaleWrite, effective: ReadonlySet<Write>): string {
  if (!isSuccess(write)) return String(write.status);
  if (write.method !== 'DELETE' && !effective.has(write)) return 'no change';
  if (!isOverruled) return 'came before the new holder';
  return write.status === 201 ? CREATED : TOOK_EFFECT;
}

/** That from a time on (epoch in ms) a process has the right to write. */
interface Takeover {
  at: number;
  life: Write['life'];
}

function takeoversByLease(leases: Evidence['leases']): Map<string, Takeover[]> {
  const byName = Map.groupBy(leases, ({ name }) => name);
  return new Map(
    [...byName].map(([name, changes]) => {
      const inOrder = changes.toSorted((a, b) => a.token - b.token || a.at - b.at);
      return [name, inOrder.filter(({ token }, index) => token !== inOrder[index - 1]?.token)];
    }),
  );
}

function takeoversByLife(writes: Evidence['writes']): Map<string, Takeover[]> {
  const byOwner = Map.groupBy(writes, (write) => ownerOf(write) ?? '');
  return new Map(
    [...byOwner].map(([owner, own]) => {
      const inOrder = own.toSorted((a, b) => a.arrivedAt - b.arrivedAt);
      let youngest = 0;
      const firsts = inOrder.filter(({ life }) => {
        const isFirst = life.number > youngest;
        youngest = Math.max(youngest, life.number);
        return isFirst;
      });
      return [owner, firsts.map(({ arrivedAt, life }) => ({ at: arrivedAt, life }))];
    }),
  );
}
