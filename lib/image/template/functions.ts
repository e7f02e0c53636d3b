import type { TemplateFunction } from './arguments.ts';
import type { Budget } from './budget.ts';
import { builtins } from './builtins.ts';
import { regexFunctions } from './regex-functions.ts';
import { textFunctions } from './text-functions.ts';
import { valueFunctions } from './value-functions.ts';

/** Functions by name. */
export type Functions = Readonly<Record<string, TemplateFunction>>;

/**
 * What templates may call: Go's own functions and those of Sprig that give the same result for the same input. Left out are the ones that
 * need dates, randomness, keys or the network.
 */
export function functions(budget: Budget): Functions {
  return { ...builtins, ...textFunctions(budget), ...regexFunctions(budget), ...valueFunctions(budget) };
}
