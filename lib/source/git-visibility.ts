import { LRUCache } from 'lru-cache';
import type { RemoteRef } from '../git/refs.ts';
import type { ResolvedRef } from './git-ref.ts';

/** How long a push's commit is waited for, in ms, before what the server shows is taken as it is. */
const PATIENCE = 60_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;

/** What is known when a push names a commit. */
export interface Sighting {
  /** Names the object and its ref, to remember when the commit was first missed. */
  key: string;
  /** The commit (or tag object) the push named. */
  expected: string;
  /** What the ref points at; undefined when the ref is not there. */
  resolved: ResolvedRef | undefined;
  refs: ReadonlyMap<string, RemoteRef>;
  /** When the push came, epoch in ms, where known. */
  pushedAt: number | undefined;
  /** Whether the expected commit lies in the history of what the ref points at. Asked once for each of these. */
  isAncestor: (head: string) => Promise<boolean>;
}

/**
 * Decides whether what a server shows after a push can be believed. Servers show the old state of a ref for some seconds
 * after their webhook (replicas, caches), and an old state must never pass for the push's result:
 * - the ref shows the commit: go on,
 * - the ref shows a commit that has the expected one in its history: later pushes have come; go on with the newest,
 * - anything else (still the old commit, another line of history, no ref): ask again in a moment. After a minute the server is
 *   believed: then the push was undone by another one (A → B → A), or the ref was forced elsewhere.
 */
export function createVisibility(
  now: () => number,
): (sighting: Sighting) => Promise<'go-on' | { waitMs: number }> {
  const firstMissed = new LRUCache<string, number>({ max: 10_000 });
  /** The last head whose history does not hold the commit. */
  const inVain = new LRUCache<string, string>({ max: 10_000 });
  return async ({ key, expected, resolved, refs, pushedAt, isAncestor }) => {
    const id = `${key} ${expected}`;
    const missedAt = firstMissed.get(id) ?? now();
    // The receiver's clock may be ahead of ours.
    const since = pushedAt !== undefined && pushedAt <= now() ? pushedAt : missedAt;
    const waited = now() - since;
    const isThere = resolved !== undefined && shows(resolved, refs, expected);
    const isPast = async () => {
      if (!resolved || inVain.get(id) === resolved.commit) return false;
      if (await isAncestor(resolved.commit)) return true;
      inVain.set(id, resolved.commit);
      return false;
    };
    if (isThere || waited >= PATIENCE || (await isPast())) {
      firstMissed.delete(id);
      return 'go-on';
    }
    firstMissed.set(id, missedAt);
    return { waitMs: Math.min(LONGEST_PAUSE, Math.max(FIRST_PAUSE, waited / 2)) };
  };
}

/** For a range of versions any tag may carry the commit, since the push may have brought one that is not the newest. */
function shows(resolved: ResolvedRef, refs: ReadonlyMap<string, RemoteRef>, expected: string): boolean {
  if (resolved.commit === expected) return true;
  return [...refs.values()].some(({ id, commit }) => id === expected || commit === expected);
}
