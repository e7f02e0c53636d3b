import { alphabetical } from './alphabetical.ts';
import { numerical } from './numerical.ts';
import type { Order } from './order.ts';
import { PolicyError } from './pattern.ts';
import { semver } from './semver.ts';

/** `spec.policy` of an ImagePolicy. */
export interface PolicyChoice {
  semver?: { range: string };
  alphabetical?: { order: 'asc' | 'desc' };
  numerical?: { order: 'asc' | 'desc' };
}

/**
 * The order that a policy asks for. Where it names several, the first of these lines holds, as with the Toolkit.
 * @throws PolicyError
 */
export function orderOf(choice: PolicyChoice): Order {
  if (choice.semver) return semver(choice.semver.range);
  if (choice.alphabetical) return alphabetical(choice.alphabetical.order);
  if (choice.numerical) return numerical(choice.numerical.order);
  throw new PolicyError('spec.policy names no policy: set semver, alphabetical or numerical');
}
