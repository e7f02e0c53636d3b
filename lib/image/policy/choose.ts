import { boxed } from './exclude.ts';
import { expandTemplate } from './expand.ts';
import { type Candidate, ChoiceError, compareText, type Rejected } from './order.ts';
import { parsePattern } from './pattern.ts';
import { orderOf, type PolicyChoice } from './registry.ts';

/** What of an ImagePolicy's `spec` chooses a tag. */
export interface Selection {
  policy: PolicyChoice;
  filterTags?: { pattern?: string; extract?: string };
}

/** How a tag was chosen. */
export interface Choice {
  latest: Candidate;
  /** All that could have been chosen, the newest first. */
  ranked: Candidate[];
  rejected: Rejected[];
}

/** Time for the patterns and the order of one policy, in ms. */
const LIMIT = 5_000;

/**
 * Chooses the newest tag.
 * @throws PolicyError when the policy itself cannot be used; ChoiceError when none of these tags can be chosen
 */
export function chooseTag(selection: Selection, tags: readonly string[]): Choice {
  const { ranked, rejected } = rankTags(selection, tags);
  const [latest] = ranked;
  if (latest) return { latest, ranked, rejected };
  const filtered = rejected.filter(({ why }) => why === NO_MATCH).length;
  const why =
    tags.length > 0 && filtered === tags.length
      ? `none of ${tags.length} tags matches spec.filterTags.pattern`
      : `none of ${tags.length} tags fits spec.policy`;
  throw new ChoiceError(`unable to determine latest version from provided list: ${why}`);
}

const NO_MATCH = 'does not match spec.filterTags.pattern';

/**
 * The same for whoever wants to see how: without a tag to choose it is no error, but an empty list.
 * @throws PolicyError; ChoiceError
 */
export function rankTags(
  { policy, filterTags }: Selection,
  tags: readonly string[],
): { ranked: Candidate[]; rejected: Rejected[] } {
  const order = orderOf(policy);
  return boxed('the policy', LIMIT, () => {
    const { candidates, rejected } = filter(tags, filterTags);
    const ranking = order(candidates.toSorted((a, b) => compareText(b.value, a.value)));
    return { ranked: ranking.ranked, rejected: [...rejected, ...ranking.rejected] };
  });
}

/** Of tags that give the same value the first by its letters stands for all, so that the choice is the same every time. */
function filter(tags: readonly string[], { pattern = '', extract = '' }: Selection['filterTags'] & {} = {}) {
  const parsed = parsePattern(pattern, 'the pattern of spec.filterTags');
  const byValue = new Map<string, string>();
  const rejected: Rejected[] = [];
  for (const tag of tags.toSorted(compareText)) {
    const captures = parsed.find(tag);
    if (!captures) {
      rejected.push({ tag, why: NO_MATCH });
      continue;
    }
    const value = extract === '' ? tag : expandTemplate(extract, captures);
    const other = byValue.get(value);
    if (other === undefined) byValue.set(value, tag);
    else rejected.push({ tag, why: `gives the same value as ${other}: '${value}'` });
  }
  return { candidates: [...byValue].map(([value, tag]): Candidate => ({ tag, value })), rejected };
}
