/** A tag, and the value that it is ordered by: itself, or what was extracted from it. */
export interface Candidate {
  tag: string;
  value: string;
}

/** A tag that is not chosen from, and why. */
export interface Rejected {
  tag: string;
  why: string;
}

/** What an order makes of candidates. */
export interface Ranking {
  /** The newest first. */
  ranked: Candidate[];
  /** Those that have no place in the order. */
  rejected: Rejected[];
}

/**
 * A way to tell which of several tags is the newest.
 * @param candidates sorted by value, the highest first; no value comes twice
 * @throws ChoiceError when there can be no order among these
 */
export type Order = (candidates: readonly Candidate[]) => Ranking;

/** No tag can be chosen from those that there are; others may come. */
export class ChoiceError extends Error {
  override readonly name = 'ChoiceError';
}

/** Compares as Go compares tags, which are ASCII; negative when `left` comes first. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
