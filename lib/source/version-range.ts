import { compareBuild, Range, SemVer } from 'semver';

/** Like SemVer, but with an optional `v` and with leading zeros; all three numbers must be there. */
const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;

/** Parses a tag as a version. @returns undefined when it is none */
export function parseVersion(tag: string): SemVer | undefined {
  const match = VERSION.exec(tag);
  if (!match) return undefined;
  const [, major, minor, patch, pre, build] = match;
  const core = [major, minor, patch].map((digits) => BigInt(digits as string)).join('.');
  try {
    return new SemVer(`${core}${pre ? `-${pre}` : ''}${build ? `+${build}` : ''}`);
  } catch {
    return undefined;
  }
}

/**
 * A range of versions as the Toolkit reads it: commas or spaces mean "and", `||` means "or", `!=` leaves one out; versions
 * with a pre-release match only where a part of the "and" names one. https://github.com/Masterminds/semver#checking-version-constraints
 * @returns undefined when the text is no range
 */
export function parseRange(text: string): ((version: SemVer) => boolean) | undefined {
  const alternatives = text.split('||').map(parseAlternative);
  if (alternatives.some((alternative) => alternative === undefined)) return undefined;
  return (version) => alternatives.some((alternative) => alternative?.(version));
}

/** The newest tag in a range; of equal versions the one with the higher build metadata. @returns undefined when none matches */
export function newestInRange(
  tags: Iterable<string>,
  inRange: (version: SemVer) => boolean,
): string | undefined {
  let newest: { tag: string; version: SemVer } | undefined;
  for (const tag of tags) {
    const version = parseVersion(tag);
    if (!version || !inRange(version)) continue;
    if (!newest || compareBuild(version, newest.version) > 0) newest = { tag, version };
  }
  return newest?.tag;
}

function parseAlternative(text: string): ((version: SemVer) => boolean) | undefined {
  const spaced = text
    .replace(/,/g, ' ')
    .replace(/=>/g, '>=')
    .replace(/=</g, '<=')
    .replace(/([<>=!~^]+)\s+/g, '$1')
    .trim();
  const terms = spaced.split(/\s+/).map(completePreRelease);
  const excluded = terms.filter((term) => term.startsWith('!=')).map((term) => term.slice(2));
  const wanted = terms.filter((term) => !term.startsWith('!=')).join(' ');
  const allowsPreReleases = terms.some((term) => /\d-[0-9A-Za-z]/.test(term));
  try {
    const range = new Range(wanted === '' ? '*' : wanted, { includePrerelease: true });
    const without = excluded.map((term) => new Range(term, { includePrerelease: true }));
    return (version) =>
      (allowsPreReleases || version.prerelease.length === 0) &&
      range.test(version) &&
      !without.some((other) => other.test(version));
  } catch {
    return undefined;
  }
}

/** `>=1-0` and `*-0` are short for all three numbers. */
function completePreRelease(term: string): string {
  const match = /^([<>=!~^]*)v?(\d+|[x*])(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?-([0-9A-Za-z.-]+)$/i.exec(term);
  if (!match) return term;
  const [, operator = '', ...parts] = match;
  const number = (part: string | undefined) => (part === undefined || /^[x*]$/i.test(part) ? '0' : part);
  const open = /^[x*]$/i.test(parts[0] ?? '');
  return `${open && operator === '' ? '>=' : operator}${parts.slice(0, 3).map(number).join('.')}-${parts[3]}`;
}
