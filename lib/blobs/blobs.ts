/** Immutable bytes by key. Implementations: `directory.ts`, `s3.ts`; both pass `test/contract/blobs.ts`. */
export interface Blobs {
  /** Stores bytes under a key of `[a-zA-Z0-9._/-]`; storing the same key again is a no-op. Atomic: never half a blob. */
  put(key: string, data: Uint8Array): Promise<void>;
  /** The bytes, or undefined. */
  get(key: string): Promise<Uint8Array | undefined>;
  has(key: string): Promise<boolean>;
  delete(key: string): Promise<void>;
  /** Keys that begin with a prefix, in order. */
  list(prefix: string): AsyncIterable<{ key: string; size: number; modifiedAt: number }>;
}
