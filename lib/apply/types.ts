import type { ChangeSet } from '../core/changeset.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';

/** The Toolkit object whose labels mark what it applied. */
export interface Owner {
  kind: 'Kustomization' | 'HelmRelease';
  /** API group of the owner, such as `kustomize.toolkit.fluxcd.io`: the prefix of its labels and annotations. */
  group: string;
  name: string;
  namespace: string;
}

/** What the index remembers of one applied object. Equal twice means: nobody has touched it, nothing new is wanted. */
export interface AppliedRecord {
  /** Digest of the manifest as it was sent, with the rules that changed how it is compared. */
  desired: string;
  /** Digest of what the server showed of it afterwards; see `observe` in drift.ts. */
  observation: string;
  /** When a dry-run or an apply last compared the whole object: epoch in ms. */
  checkedAt: number;
}

/** Fields that others may change: one entry of the Toolkit's `spec.ignore`. */
export interface DriftIgnoreRule {
  /** JSON pointers (RFC 6901). */
  paths: readonly string[];
  /** Undefined: every object. */
  target?: IgnoreTarget;
}

/** Which objects a rule concerns. The first five are regular expressions that must match the whole value. */
export interface IgnoreTarget {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  labelSelector?: string;
  annotationSelector?: string;
}

/** How one set of objects is applied. */
export interface ApplyOptions {
  owner: Owner;
  /** `kustomize-controller`, as Flux, so that moving in and out needs no hand-over. */
  fieldManager: string;
  /** `spec.force`: delete and create again what cannot be changed in place. */
  force: boolean;
  /** Requests in flight at a time. */
  concurrency: number;
  /** What the index remembers, by `identityOf`. */
  known: ReadonlyMap<string, AppliedRecord>;
  /**
   * Identities in the previous inventory. What is neither here nor in `known` is expected to be new and is created by one
   * request that the server refuses when the object exists after all.
   */
  previous?: ReadonlySet<string>;
  ignore: readonly DriftIgnoreRule[];
  signal: AbortSignal;
  /** Epoch in ms. */
  now(): number;
  /** Waits; rejects when the signal aborts. Default: a timer. */
  sleep?(ms: number, signal: AbortSignal): Promise<void>;
  /** Called before every write; throws when the lease is lost. */
  beforeWrite?(): Promise<void>;
  /** Called once a stage, before its first write, with the identities about to be written: mark them dirty. */
  willWrite?(identities: readonly string[]): Promise<void>;
  /** True when a newer request for the same owner waits; asked between stages and while waiting. */
  superseded?(): Promise<boolean>;
  /** Whether the other owner that the live object's labels name still wants it. Undefined: it is taken over, as Flux does. */
  contested?(ref: ObjectRef, other: { name: string; namespace: string }): Promise<boolean>;
  /** The run before was cut off, and its writes may come late: what is as it should be is fenced against them, with this text. */
  fence?: string;
  /** How long definitions and classes may take to become ready, and deleted objects to vanish, in ms. */
  waitTimeout: number;
  /**
   * A stage that only creates objects, and no more than this many, is sent without a dry-run before. Everything else is
   * validated whole before its first write. Default: 16.
   */
  unvalidated?: number;
  /** After how long an untouched object gets a dry-run all the same, in ms. Default: a day. */
  recheckAfter?: number;
  /** More field managers (prefixes of their names) whose fields are taken over, beside kubectl's. */
  takeOver?: readonly string[];
}

/** What an apply did, whole or up to its failure. */
export interface ApplyResult {
  changeSet: ChangeSet;
  /**
   * To be stored in the index, by `identityOf`. After success an object without a record here must be forgotten; after a failure
   * those without one keep theirs, unless `willWrite` named them.
   */
  records: Map<string, AppliedRecord>;
  /** Objects as the server has them; of untouched ones the metadata alone. */
  applied: KubernetesObject[];
  /** Identities of all that a write was sent for, unless the server refused to create it: what may exist because of this apply. */
  sent: Set<string>;
  /** Objects that were left alone because they are being deleted; they must be looked at again soon. */
  terminating: ObjectRef[];
}
