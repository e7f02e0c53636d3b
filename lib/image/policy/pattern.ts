import { RE2JS } from 're2js';

/** A pattern, or something else in a policy, cannot be used as it is; only a change of the object helps. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/** What the groups of a pattern matched in a tag. */
export interface Captures {
  /** By number; 0 is the whole match. Undefined where a group took no part. */
  groups: readonly (string | undefined)[];
  /** Numbers of named groups. */
  names: Readonly<Record<string, number>>;
}

/** A regular expression as the Toolkit understands it: Go's, which is RE2. Matching takes time linear in the length of the tag. */
export interface TagPattern {
  test(tag: string): boolean;
  /** Where it matches first. */
  find(tag: string): Captures | undefined;
}

const MAX_LENGTH = 2_048;
/** Counted repetitions multiply: so many instructions are more than anybody writes by hand. */
const MAX_PROGRAM = 10_000;

/**
 * Parses a pattern.
 * @param what names the pattern in errors
 * @throws PolicyError
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parsePattern(text: string, what: string): TagPattern {
  const refuse = (problem: string) => new PolicyError(`${what} '${shorten(text)}' is invalid: ${problem}`);
  const compiled = compileBounded(text, refuse);
  const names = compiled.namedGroups();
  return {
    test: (tag) => compiled.test(tag),
    find(tag) {
      const matcher = compiled.matcher(tag);
      if (!matcher.find()) return undefined;
      const groups = Array.from(
        { length: matcher.groupCount() + 1 },
        (_, index) => matcher.group(index) ?? undefined,
      );
      return { groups, names };
    },
  };
}

/**
 * Compiles a regular expression of somebody else, within bounds.
 * @param refuse makes the error that is thrown, of what is wrong
 */
export function compileBounded(text: string, refuse: (problem: string) => Error): RE2JS {
  if (text.length > MAX_LENGTH) throw refuse(`it is longer than ${MAX_LENGTH} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    throw refuse(said);
  }
  if (compiled.programSize() > MAX_PROGRAM) throw refuse('it is too large');
  return compiled;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
