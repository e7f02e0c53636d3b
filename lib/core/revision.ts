/** A parsed Toolkit revision: `main@sha1:<40 hex>`, `v1.2.0@sha1:…`, `sha1:…` or `6.2.1@sha256:…`. */
export interface Revision {
  /** Branch, tag or version; empty when the revision is a digest alone. */
  name: string;
  algorithm: string;
  /** The digest in lower-case hex. */
  hash: string;
}

const REVISION = /^(?:(.*)@)?(sha1|sha256|sha512):([0-9a-f]+)$/;

/**
 * Parses a revision string.
 * @returns undefined when the text is not a revision
 * @see https://fluxcd.io/flux/components/source/gitrepositories/#revision
 */
export function parseRevision(text: string): Revision | undefined {
  const match = REVISION.exec(text);
  if (!match) return undefined;
  return { name: match[1] ?? '', algorithm: match[2] as string, hash: match[3] as string };
}

/** Formats a Git revision: `<name>@sha1:<commit>`, or `sha1:<commit>` without a name; 64-digit commits are `sha256`. */
export function gitRevision(name: string, commit: string): string {
  const digest = `${commit.length === 64 ? 'sha256' : 'sha1'}:${commit}`;
  return name === '' ? digest : `${name}@${digest}`;
}

/** The commit of a Git revision, or the empty string when `revision` is undefined or not a revision. */
export function commitOf(revision: string | undefined): string {
  return (revision === undefined ? undefined : parseRevision(revision))?.hash ?? '';
}
