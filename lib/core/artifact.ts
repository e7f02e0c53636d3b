/** A fetched source tree, immutable and named by its digest: the Toolkit's `status.artifact`. */
export interface Artifact {
  /** Where the blob store keeps it: its blob key. */
  path: string;
  /** Required by the Toolkit's schema; `slipway://<path>`, since nothing in the cluster serves it. */
  url: string;
  /** For example `main@sha1:<commit>`. */
  revision: string;
  /** `sha256:<hex>` of the stored archive (an uncompressed tar with fixed times and sorted names). */
  digest: string;
  /** RFC 3339, with seconds. */
  lastUpdateTime: string;
  /** In bytes. */
  size: number;
  metadata?: Record<string, string>;
}

/** The artifact that a source has, by its status; undefined while it has none. */
export function artifactOf(source: { status?: unknown } | undefined): Artifact | undefined {
  return (source?.status as { artifact?: Artifact } | undefined)?.artifact;
}
