const KEY = /^[a-zA-Z0-9._-]+(\/[a-zA-Z0-9._-]+)*$/;

/** S3's limit, in bytes. */
const MAX_LENGTH = 1_024;

/** A file name's limit on common file systems, in bytes. */
const MAX_SEGMENT = 255;

/**
 * Refuses keys that could leave the folder or that one of the stores could not keep.
 * @throws Error naming the key
 */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const bad =
    !KEY.test(key) ||
    key.length > MAX_LENGTH ||
    segments.some((segment) => segment.startsWith('.') || segment.length > MAX_SEGMENT);
  if (bad) {
    throw new Error(
      `The blob key ${JSON.stringify(key.slice(0, 200))} is not allowed: it must be at most ${MAX_LENGTH} characters of ` +
        'a-z A-Z 0-9 . _ - in segments separated by single slashes, none beginning with a dot.',
    );
  }
}

/** As {@link checkKey}, for the beginning of keys: the last segment may be incomplete or empty. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}
