import { gitRevision } from '../core/revision.ts';
import { newestInRange, parseRange } from '../core/version-range.ts';
import { isRefName, type RemoteRef } from '../git/refs.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';

/** What `spec.ref` asks for, once it is sorted out which of its fields counts. */
export type WantedRef =
  /** A commit by its id; `ref` is where it may be looked for. */
  | { kind: 'commit'; commit: string; name: string; ref: string | undefined }
  /** One ref by its full name; `name` is how the revision calls it. */
  | { kind: 'ref'; ref: string; name: string }
  /** The newest tag in a range. */
  | { kind: 'semver'; range: string };

/** What it stands for now. */
export interface ResolvedRef {
  revision: string;
  commit: string;
  /** The full name of the ref it stands on. */
  ref: string;
}

/**
 * Which field of `spec.ref` counts: commit, name, semver, tag, branch, in this order; the branch `master` without any.
 * @returns a sentence when a field is invalid
 * @see https://fluxcd.io/flux/components/source/gitrepositories/#reference
 */
export function wantedRef(spec: Partial<GitRepository['spec']>): WantedRef | string {
  const { commit, name, semver, tag, branch } = spec.ref ?? {};
  const branchRef = branch ? `refs/heads/${branch}` : undefined;
  const plainName = name?.replace(/\^\{\}$/, '');
  if (plainName && !isRefName(plainName)) return `spec.ref.name ${JSON.stringify(name)} is no name of a ref`;
  if (commit) {
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit))
      return `spec.ref.commit ${JSON.stringify(commit)} is no full id of a commit`;
    if (branchRef !== undefined && !isRefName(branchRef))
      return `spec.ref.branch ${JSON.stringify(branch)} is no name of a branch`;
    return { kind: 'commit', commit, name: name || branch || '', ref: branchRef ?? plainName };
  }
  if (plainName && name) return { kind: 'ref', ref: plainName, name };
  if (semver) {
    return parseRange(semver)
      ? { kind: 'semver', range: semver }
      : `spec.ref.semver ${JSON.stringify(semver)} is no range of versions`;
  }
  const chosen = tag || branch || 'master';
  const ref = tag ? `refs/tags/${tag}` : `refs/heads/${chosen}`;
  if (!isRefName(ref)) return `spec.ref.${tag ? 'tag' : 'branch'} ${JSON.stringify(chosen)} is no valid name`;
  return { kind: 'ref', ref, name: chosen };
}

/** The names to ask the server for. */
export function patternsOf(wanted: WantedRef): string[] {
  if (wanted.kind === 'semver') return ['refs/tags/*'];
  return wanted.kind === 'ref' ? [wanted.ref] : [];
}

/** Finds what is wanted among the server's refs. @returns undefined when it is not there */
export function resolveRef(wanted: WantedRef, refs: ReadonlyMap<string, RemoteRef>): ResolvedRef | undefined {
  if (wanted.kind === 'commit') {
    return {
      revision: gitRevision(wanted.name, wanted.commit),
      commit: wanted.commit,
      ref: wanted.ref ?? '',
    };
  }
  if (wanted.kind === 'ref') {
    const found = refs.get(wanted.ref);
    return (
      found && { revision: gitRevision(wanted.name, found.commit), commit: found.commit, ref: wanted.ref }
    );
  }
  const tags = [...refs.keys()]
    .filter((name) => name.startsWith('refs/tags/'))
    .map((name) => name.slice('refs/tags/'.length));
  const tag = newestInRange(tags, parseRange(wanted.range) ?? (() => false));
  const found = tag === undefined ? undefined : refs.get(`refs/tags/${tag}`);
  return found && tag !== undefined
    ? { revision: gitRevision(tag, found.commit), commit: found.commit, ref: `refs/tags/${tag}` }
    : undefined;
}

/** The full name of the ref on which a resolved revision stands; undefined when only its commit is known. */
export function refOfRevision(wanted: WantedRef, name: string): string | undefined {
  if (wanted.kind === 'semver') return `refs/tags/${name}`;
  return wanted.ref;
}
