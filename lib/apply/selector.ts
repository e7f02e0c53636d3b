/** Tells whether a set of labels is selected. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = /^[A-Za-z0-9]([A-Za-z0-9./_-]*[A-Za-z0-9])?$/;
const SET = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/;
const EQUAL = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/;

/**
 * Parses a label selector: `a=b, c!=d, e in (x, y), f notin (z), g, !h`.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 * @throws Error naming the requirement that is not understood
 */
export function parseSelector(text: string): LabelMatcher {
  const matchers = splitRequirements(text).map(parseRequirement);
  return (labels) => matchers.every((matches) => matches(labels));
}

function splitRequirements(text: string): string[] {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

function parseRequirement(text: string): LabelMatcher {
  const set = SET.exec(text);
  if (set) return setMatcher(text, set[1] as string, set[2] === 'in', set[3] as string);
  const equal = EQUAL.exec(text);
  if (equal && KEY.test(equal[1] as string)) {
    const [, key, operator, value] = equal as unknown as [string, string, string, string];
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const absent = text.startsWith('!');
  const key = absent ? text.slice(1).trim() : text;
  if (!KEY.test(key)) throw new Error(`label selector: "${text}" is not understood`);
  return (labels) => Object.hasOwn(labels, key) !== absent;
}

function setMatcher(text: string, key: string, included: boolean, list: string): LabelMatcher {
  if (!KEY.test(key)) throw new Error(`label selector: "${text}" is not understood`);
  const values = new Set(list.split(',').map((value) => value.trim()));
  return (labels) => {
    const value = labels[key];
    return value === undefined ? !included : values.has(value) === included;
  };
}

/** Longer patterns, or more open repetitions, could keep a worker busy for minutes. */
const MAX_PATTERN = 256;
const MAX_REPETITIONS = 4;
const MAX_OPTIONS = 6;

/**
 * Compiles a regular expression of a target; it must match the whole value. A leading `(?i)` ignores case, as in Go.
 * @throws Error when it is invalid, or could take too long to match
 */
export function parsePattern(text: string): RegExp {
  const ignoreCase = text.startsWith('(?i)');
  const source = ignoreCase ? text.slice(4) : text;
  const bare = source
    .replace(/\\./g, 'x')
    .replace(/\[[^\]]*\]/g, 'x')
    .replaceAll('(?:', '(');
  const repetitions = bare.match(/[*+]|\{[0-9]+,[0-9]*\}/g)?.length ?? 0;
  const options = bare.match(/\?/g)?.length ?? 0;
  const nested = /\([^)]*[*+{?|(][^)]*\)+[*+{]/.test(bare);
  const special = /\\[1-9k]|\(\?(?!:)/.test(source);
  if (
    text.length > MAX_PATTERN ||
    repetitions > MAX_REPETITIONS ||
    options > MAX_OPTIONS ||
    nested ||
    special
  ) {
    throw new Error(`the pattern "${text}" is too complex; use a simpler one`);
  }
  return new RegExp(`^(?:${source})$`, ignoreCase ? 'i' : '');
}
