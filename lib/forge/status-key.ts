import { createHash } from 'node:crypto';

/** Bitbucket Cloud's limit for the key of a build status. */
const MAX_KEY = 40;

/**
 * The key under which Bitbucket tells statuses of a commit apart: the context itself where it fits, otherwise a digest of it, so
 * that two long contexts with the same beginning stay two.
 */
export function statusKey(context: string): string {
  if (context.length <= MAX_KEY && /^[\x20-\x7e]+$/.test(context)) return context;
  return createHash('sha256').update(context).digest('hex').slice(0, MAX_KEY);
}
