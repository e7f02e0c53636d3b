import { TemplateError } from './template-error.ts';

/** What one run of a template may still use. */
export interface Budget {
  /** Counts a step. @throws TemplateError when there were too many */
  step(): void;
  /** Counts characters that are made. @throws TemplateError when there were too many */
  text(length: number): void;
}

const MAX_STEPS = 100_000;
/** Of everything that is printed or made by functions. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** A fresh budget: enough for a bump of thousands of places, and soon at an end for a loop that never ends. */
export function createBudget(): Budget {
  let steps = MAX_STEPS;
  let characters = MAX_CHARACTERS;
  return {
    step() {
      steps -= 1;
      if (steps < 0) throw new TemplateError('the template takes too many steps');
    },
    text(length) {
      characters -= length;
      if (characters < 0) throw new TemplateError('the template makes too much text');
    },
  };
}
