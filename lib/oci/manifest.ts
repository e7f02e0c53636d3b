import { createHash } from 'node:crypto';
import { formatImageName } from '../core/image-name.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySession } from './session.ts';

/** A manifest or an index of manifests, with the digest that its bytes were checked against. */
export interface Manifest {
  digest: string;
  mediaType: string;
  bytes: Uint8Array;
}

/** Manifests and indexes, of OCI and of Docker. */
const MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** Registries must take manifests of this size, and need not take larger ones. */
const MAX_BYTES = 4 * 1024 * 1024;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * What a tag points at now, as the registry says: the digest of its index, or of its manifest where it has none.
 * @returns undefined when there is no such tag
 * @throws RegistryError
 */
export async function resolveTag(session: RegistrySession, tag: string): Promise<string | undefined> {
  const target = `manifests/${tag}`;
  const headers = { accept: MEDIA_TYPES.join(', ') };
  const head = await session.request({ method: 'HEAD', target, headers, maxBytes: MAX_BYTES }, true);
  if (head.status === 404) return undefined;
  const digest = head.headers.get('docker-content-digest') ?? '';
  // Not every registry tells the digest; then it is that of the bytes.
  return DIGEST.test(digest) ? digest : (await readManifest(session, tag))?.digest;
}

/**
 * Reads a manifest and checks that it is what was asked for.
 * @param reference a tag or a digest
 * @returns undefined when there is none
 * @throws RegistryError `protocol` when its bytes, its digest and its type do not belong together
 */
export async function readManifest(
  session: RegistrySession,
  reference: string,
): Promise<Manifest | undefined> {
  const headers = { accept: MEDIA_TYPES.join(', ') };
  const answer = await session.request(
    { target: `manifests/${reference}`, headers, maxBytes: MAX_BYTES },
    true,
  );
  if (answer.status === 404) return undefined;
  const wrong = (what: string) =>
    new RegistryError('protocol', `${formatImageName(session.image)}, manifest ${reference}: ${what}`);
  const told = answer.headers.get('docker-content-digest') ?? '';
  const expected = DIGEST.test(reference) ? reference : told;
  const algorithm = DIGEST.test(expected) ? (expected.split(':')[0] ?? 'sha256') : 'sha256';
  const digest = `${algorithm}:${createHash(algorithm).update(answer.body).digest('hex')}`;
  if (DIGEST.test(expected) && expected !== digest)
    throw wrong('the bytes do not have the digest that they should have');
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const body = parse(answer.text());
  if (body?.schemaVersion !== 2) throw wrong('it is no manifest of schema version 2');
  if (!MEDIA_TYPES.includes(type)) throw wrong(`its type ${type || '(none)'} is not one of an image`);
  if (body.mediaType !== undefined && body.mediaType !== type)
    throw wrong(`it says that it is ${String(body.mediaType)}, and the registry that it is ${type}`);
  const isIndex = type.includes('index') || type.includes('list');
  // One that holds both could be read in two ways. https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  if (isIndex ? 'layers' in body || 'config' in body : 'manifests' in body)
    throw wrong('it is a manifest and an index at once');
  return { digest, mediaType: type, bytes: answer.body };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
