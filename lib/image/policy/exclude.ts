import { TookTooLong, timeBoxed } from '../../cel/time-box.ts';
import { PolicyError, parsePattern } from './pattern.ts';

/** Time for all patterns and all tags of an image, in ms. */
const LIMIT = 5_000;

/**
 * Leaves out the tags that one of the patterns of `spec.exclusionList` matches.
 * @throws PolicyError when a pattern is invalid or takes too long
 */
export function excludeTags(tags: readonly string[], patterns: readonly string[]): string[] {
  return boxed('spec.exclusionList', LIMIT, () => {
    const parsed = patterns.map((text) => parsePattern(text, 'the pattern of spec.exclusionList'));
    return tags.filter((tag) => !parsed.some((pattern) => pattern.test(tag)));
  });
}

/**
 * Runs what patterns of users do, for so long and no longer.
 * @param limit in ms
 * @throws PolicyError naming what took too long
 */
export function boxed<T>(what: string, limit: number, work: () => T): T {
  try {
    return timeBoxed(limit, work);
  } catch (error) {
    if (error instanceof TookTooLong) throw new PolicyError(`${what}: matching the tags ${error.message}`);
    throw error;
  }
}
