import { rankTags, type Selection } from './policy/choose.ts';
import { type ChosenImage, formatImage } from './setters.ts';
import type { Objection, Proposal } from './update-files.ts';

/** What is known of a policy when its image is written. */
export interface PolicyState {
  image: ChosenImage;
  /** What of its `spec` chooses a tag. */
  selection: Selection;
  /** Whether a place has held this very image once; by the keys of {@link MarkedPlace}. */
  hasHeld(place: string): boolean;
}

/**
 * Why a value is not to be changed although its policy has chosen another image:
 * - somebody has taken this very image back there: a newer one is waited for;
 * - what stands there is newer by the policy's own order: a tag that vanished from the registry, a look at it that came too late, or another
 *   cluster's policy that lags behind must not bring an older version back. A value that the policy would not choose is always replaced.
 * @param states by `namespace:name`
 */
export function objectionsOf(states: ReadonlyMap<string, PolicyState>): Objection {
  return (proposals) => {
    const [first] = proposals;
    const state = first && states.get(first.setter.policy);
    if (!state) return undefined;
    const image = formatImage(state.image);
    if (proposals.some(({ place }) => state.hasHeld(place)))
      return `${image} was taken back there; a newer image is waited for`;
    const tag = presentTag(proposals, state.image);
    if (tag === undefined || !isNewer(state, tag)) return undefined;
    return `${tag} is newer than ${state.image.tag}, which ${first.setter.policy} has chosen; versions never go back by themselves`;
  };
}

/** The tag that stands there, where it is one of the same image. */
function presentTag(proposals: readonly Proposal[], image: ChosenImage): string | undefined {
  for (const { setter, scalar } of proposals) {
    if (setter.part === 'name') return undefined;
    if (setter.part === 'image') {
      const [, name, tag] = /^([^@]+):([^:/@]+)(?:@.*)?$/.exec(scalar.value) ?? [];
      return name === image.name ? tag : undefined;
    }
  }
  return proposals.find(({ setter }) => setter.part === 'tag')?.scalar.value;
}

function isNewer({ selection, image }: PolicyState, tag: string): boolean {
  if (tag === image.tag) return false;
  try {
    return rankTags(selection, [tag, image.tag]).ranked[0]?.tag === tag;
  } catch {
    // Where the policy knows no order between the two, its choice counts.
    return false;
  }
}
