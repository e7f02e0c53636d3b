import type { Artifact } from '../core/artifact.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { TreeIndex } from '../core/tree.ts';

/** Data of a Secret, decoded. */
export type SecretData = Record<string, Uint8Array>;

/** What a source may use from outside its own object; the pipeline supplies it. */
export interface SourceInputs {
  /** Reads a Secret of the object's own namespace. Throws a ReconcileError naming it when it is missing. */
  secret(name: string): Promise<SecretData>;
  /** Credentials of the fleet file for this object's URL; only for a root source. */
  fleetCredentials: (() => Promise<{ username: string; password: string } | undefined>) | undefined;
  /** The commit that a push named: it is what must be fetched, and it may not be visible yet. */
  commit: string | undefined;
  /** When that push came, epoch in ms: its commit is waited for no longer than a minute from then. Absent: from the first look. */
  pushedAt?: number;
  /** Artifacts of `spec.include`, in order: where each goes, and its bytes. */
  included: { repository: string; artifact: Artifact; archive(): Promise<Uint8Array> }[];
  /** The artifact already held, if any: when the resolved revision is the same and `key` still fits, nothing is fetched. */
  current: Artifact | undefined;
  signal: AbortSignal;
}

/** A fetched tree. */
export interface Fetched {
  revision: string;
  /** An uncompressed tar with sorted names, fixed times and modes: equal trees give equal bytes. */
  archive: Uint8Array;
  index: TreeIndex;
  /** For the run: who made the commit, and its first message line. */
  commit?: { hash: string; author: string; committer: string; subject: string };
  /** Set when `spec.verify` asked for it: what was verified, for the SourceVerified condition. */
  verified?: string;
}

/**
 * A kind of source. One file plus a line in `registry.ts`. Both throw ReconcileErrors with the Toolkit's reasons.
 * - `resolve` is cheap: what the object's ref points at now (`ls-remote`), as a revision string; undefined: only a fetch can tell.
 * - `fetch` brings the tree of a resolved revision.
 */
export interface SourceKind<T extends KubernetesObject> {
  resolve(object: T, inputs: SourceInputs): Promise<string | undefined>;
  fetch(object: T, revision: string | undefined, inputs: SourceInputs): Promise<Fetched>;
}
