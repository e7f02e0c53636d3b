import { compareBuild, SemVer } from 'semver';

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const SUFFIX = `(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?`;
const NUMBER = '\\d+|[xX*]';
/** One to three numbers, `x` standing for any. */
const PATTERN = `v?(?:${NUMBER})(?:\\.(?:${NUMBER}))?(?:\\.(?:${NUMBER}))?(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;

const VERSION = new RegExp(`^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?${SUFFIX}$`);
const HYPHEN_RANGE = new RegExp(`(${PATTERN})\\s+-\\s+(${PATTERN})`, 'g');
/** One comparison, up to white space or the end: nothing here can match the same text in two ways. */
const TERM = new RegExp(`(?:(!=|>=|=>|<=|=<|~>|=|>|<|~|\\^)\\s*)?${PATTERN}(?:\\s+|$)`, 'y');
const PARTS = new RegExp(`^([^\\dxXv*]*?)\\s*v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?${SUFFIX}$`);

const MAX_LENGTH = 512;
const MAX_ALTERNATIVES = 32;

/** A test of versions. */
export type VersionTest = (version: SemVer) => boolean;

/**
 * Parses a tag as a version, less strictly than SemVer: with an optional `v` and leading zeros, as in `v2025.02.03-rc.1`.
 * @returns undefined when it is none
 */
export function parseVersion(tag: string): SemVer | undefined {
  // Numbers alone, and `1.2`, are more often something else than a version.
  return tag.split('.').length < 3 ? undefined : coerce(tag);
}

/**
 * Parses a range of versions as the Toolkit reads it: commas or spaces mean "and", `||` means "or"; `=`, `!=`, `<`, `<=`, `>`, `>=`, `~`,
 * `^`, `1.2 - 2.0`, and `x` or `*` for any number. Versions with a pre-release match only where a part of the "and" names one.
 * https://github.com/Masterminds/semver#checking-version-constraints
 * @returns undefined when the text is no range
 */
export function parseRange(text: string): VersionTest | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const alternatives = text.replace(HYPHEN_RANGE, '>=$1, <=$2 ').split('||');
  if (alternatives.length > MAX_ALTERNATIVES) return undefined;
  const tests = alternatives.map(parseAlternative);
  const known = tests.filter((test) => test !== undefined);
  return known.length === tests.length ? (version) => known.some((test) => test(version)) : undefined;
}

/** The newest tag in a range; of equal versions the one with the higher build metadata. @returns undefined when none matches */
export function newestInRange(tags: Iterable<string>, inRange: VersionTest): string | undefined {
  let newest: { tag: string; version: SemVer } | undefined;
  for (const tag of tags) {
    const version = parseVersion(tag);
    if (!version || !inRange(version)) continue;
    if (!newest || compareBuild(version, newest.version) > 0) newest = { tag, version };
  }
  return newest?.tag;
}

function coerce(text: string): SemVer | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const build = /\+(.*)$/.exec(text)?.[1];
  return makeVersion([match[1], match[2], match[3]], match[4], build);
}

function makeVersion(
  numbers: readonly (string | undefined)[],
  preRelease: string | undefined,
  build?: string,
): SemVer | undefined {
  const core = numbers.map((digits) => BigInt(digits ?? '0')).join('.');
  try {
    return new SemVer(`${core}${preRelease ? `-${preRelease}` : ''}${build ? `+${build}` : ''}`);
  } catch {
    return undefined;
  }
}

function parseAlternative(text: string): VersionTest | undefined {
  const terms = text.split(',').flatMap(parseTerms);
  const known = terms.filter((term) => term !== undefined);
  if (known.length !== terms.length) return undefined;
  const wantsPreReleases = known.some(({ bound }) => bound.prerelease.length > 0);
  return (version) =>
    (wantsPreReleases || version.prerelease.length === 0) && known.every((term) => fits(term, version));
}

/** The comparisons between two commas; undefined among them for what is none. */
function parseTerms(text: string): (Term | undefined)[] {
  const plain = text.trim();
  const terms: (Term | undefined)[] = [];
  let end = 0;
  do {
    TERM.lastIndex = end;
    const [term = ''] = TERM.exec(plain) ?? [];
    if (term === '') return [undefined];
    terms.push(parseTerm(term));
    end += term.length;
  } while (end < plain.length);
  return terms;
}

/** A comparison with a version of which only the first numbers may be given. */
interface Term {
  operator: string;
  bound: SemVer;
  /** How many numbers count: 0 for `*`. */
  given: 0 | 1 | 2 | 3;
}

function parseTerm(text: string): Term | undefined {
  const match = PARTS.exec(text.trim());
  if (!match) return undefined;
  const [, operator = '', ...numbers] = match;
  const preRelease = numbers[3];
  const open = numbers.slice(0, 3).findIndex((number) => number === undefined || /^[xX*]$/.test(number));
  const given = (open < 0 ? 3 : open) as Term['given'];
  const bound = makeVersion(
    numbers.slice(0, 3).map((number, index) => (index < given ? number : '0')),
    preRelease,
  );
  return bound && { operator: operator.trim(), bound, given };
}

function fits({ operator, bound, given }: Term, version: SemVer): boolean {
  const order = version.compare(bound);
  const [major, minor] = [version.major - bound.major, version.minor - bound.minor];
  switch (operator) {
    case '<':
      return order < 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '>':
      if (given === 1) return major > 0;
      return given === 2 ? major > 0 || (major === 0 && minor > 0) : order > 0;
    case '<=':
    case '=<':
      if (given === 3) return order <= 0;
      return major < 0 || (major === 0 && (given === 1 || minor <= 0));
    case '!=':
      return differs({ bound, given }, version);
    case '^':
      return order >= 0 && fitsCaret({ bound, given }, version);
    case '':
    case '=':
      return given === 3 ? order === 0 : fitsTilde({ bound, given }, version);
    default:
      return fitsTilde({ bound, given }, version);
  }
}

/** `!=1.2` leaves out all of 1.2, but of its pre-releases only the one that is named. */
function differs({ bound, given }: Omit<Term, 'operator'>, version: SemVer): boolean {
  if (given === 0 || given === 3) return version.compare(bound) !== 0;
  if (version.major !== bound.major) return true;
  if (given === 1) return false;
  return version.minor !== bound.minor || version.prerelease.join('.') !== bound.prerelease.join('.');
}

/** `~1.2.3` is the same minor version from there on, `~1` the same major version; `~0.0.0` and `~*` are everything. */
function fitsTilde({ bound, given }: Omit<Term, 'operator'>, version: SemVer): boolean {
  if (version.compare(bound) < 0) return false;
  const isZero = bound.major === 0 && bound.minor === 0 && bound.patch === 0;
  if (isZero && (given === 0 || given === 3)) return true;
  return version.major === bound.major && (given === 1 || version.minor === bound.minor);
}

/** `^1.2.3` is the same up to the first number that is not zero. */
function fitsCaret({ bound, given }: Omit<Term, 'operator'>, version: SemVer): boolean {
  if (version.major !== bound.major) return false;
  if (bound.major > 0 || given === 1) return true;
  if (version.minor !== bound.minor) return false;
  return bound.minor > 0 || given === 2 || version.patch === bound.patch;
}
