import type { GroupVersionKind, KubernetesObject, ObjectMeta, ObjectRef } from '../core/object.ts';

/** Metadata of an object alone (`PartialObjectMetadata`). */
export interface PartialObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** What discovery says of a kind. */
export interface ApiResource extends GroupVersionKind {
  /** The plural in paths, such as `deployments`. */
  plural: string;
  namespaced: boolean;
  verbs: string[];
}

/** Options of a server-side apply. */
export interface ApplyOptions {
  fieldManager: string;
  /** Take fields over from other managers. */
  force: boolean;
  /** Ask the server what would come of it, without writing. */
  dryRun?: boolean;
  /**
   * What the server does with keys that stand twice, for which it parses what it is sent a second time. Default: `Ignore`, since JSON of ours has
   * none. An apply with fields that the server does not know is refused in any case.
   */
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /** For example `status`. */
  subresource?: string;
  /** Called for each warning of the server, such as an unknown field or a deprecated version. */
  onWarning?: (warning: string) => void;
  signal?: AbortSignal;
}

/** Options of a create or update. */
export interface WriteOptions {
  /** Default: `slipway`. */
  fieldManager?: string;
  dryRun?: boolean;
  signal?: AbortSignal;
}

/** Options of a deletion; both preconditions are checked by the server. */
export interface DeleteOptions {
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  dryRun?: boolean;
}

/** A token of a service account. */
export interface AccountToken {
  token: string;
  /** Epoch in ms. */
  expiresAt: number;
}

/** What to list. */
export interface ListOptions {
  /** Empty or undefined: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  signal?: AbortSignal;
}

/** One event of a watch. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** The media types of a patch, by what they are called. */
export type PatchType = 'merge' | 'json' | 'strategic';

/**
 * One cluster's API over raw REST: what goes in is what is sent, no field is dropped. Every call throws a `KubeError`
 * (`errors.ts`) when the server refuses; 429, 503 and connection faults are retried inside within bounds, honouring Retry-After.
 */
export interface KubeClient {
  /** The same cluster as another user (`Impersonate-User`), with its own discovery cache shared. */
  as(user: string, groups?: readonly string[]): KubeClient;
  /** What discovery says of a kind; looks again once when the kind is unknown. Undefined: the server does not serve it. */
  resource(gvk: GroupVersionKind): Promise<ApiResource | undefined>;
  /** The version the server prefers for a group and kind. */
  preferred(group: string, kind: string): Promise<ApiResource | undefined>;
  /** All that the server serves and can list. */
  resources(): Promise<ApiResource[]>;
  /** Forget what discovery said (after CRDs were applied). */
  invalidate(): void;
  /** The object, or undefined when it, its namespace or its kind does not exist. */
  get<T extends KubernetesObject>(ref: ObjectRef): Promise<T | undefined>;
  getMetadata(ref: ObjectRef): Promise<PartialObject | undefined>;
  /** All objects, page by page inside; an empty list when the kind is not served. */
  list<T extends KubernetesObject>(
    gvk: GroupVersionKind,
    options?: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }>;
  listMetadata(
    gvk: GroupVersionKind,
    options?: ListOptions,
  ): Promise<{ items: PartialObject[]; resourceVersion: string }>;
  /** Server-side apply. Returns the object as the server has (or would have) it. */
  apply<T extends KubernetesObject>(object: KubernetesObject, options: ApplyOptions): Promise<T>;
  create<T extends KubernetesObject>(object: KubernetesObject, options?: WriteOptions): Promise<T>;
  /** Replace; carries the resourceVersion of `object`, so a change in between gives 409. */
  update<T extends KubernetesObject>(object: KubernetesObject, options?: WriteOptions): Promise<T>;
  /** Replace the status subresource alone; carries the resourceVersion of `object` if it has one. */
  updateStatus<T extends KubernetesObject>(object: KubernetesObject, options?: WriteOptions): Promise<T>;
  patch<T extends KubernetesObject>(
    ref: ObjectRef,
    type: PatchType,
    body: unknown,
    options?: { subresource?: string; fieldManager?: string; dryRun?: boolean },
  ): Promise<T>;
  /** Deletes. Returns false when the object did not exist. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /**
   * Makes a token of a service account; undefined when there is no such account.
   * @param audiences whom it is for
   * @param seconds how long it should hold; the server may give it longer or shorter, and refuses less than 600
   * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
   */
  createToken(
    account: { namespace: string; name: string },
    audiences: readonly string[],
    seconds: number,
  ): Promise<AccountToken | undefined>;
  /** Watches from a resourceVersion until the server ends it or the signal aborts; a 410 is thrown as KubeError. */
  watch<T extends KubernetesObject>(
    gvk: GroupVersionKind,
    options: ListOptions & { resourceVersion: string },
  ): AsyncIterable<WatchEvent<T>>;
  /** The same, of metadata alone. */
  watchMetadata(
    gvk: GroupVersionKind,
    options: ListOptions & { resourceVersion: string },
  ): AsyncIterable<WatchEvent<PartialObject>>;
  /** A GET of any path, parsed as JSON; for `/version` and the like. */
  raw<T>(path: string): Promise<T>;
  close(): Promise<void>;
}
