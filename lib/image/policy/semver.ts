import { compareBuild } from 'semver';
import { parseRange, parseVersion } from '../../core/version-range.ts';
import type { Candidate, Order, Rejected } from './order.ts';
import { PolicyError } from './pattern.ts';

/**
 * By version, within a range; what is no version, or lies outside, has no place.
 * @throws PolicyError when the text is no range
 */
export function semver(range: string): Order {
  const isInRange = parseRange(range);
  if (!isInRange)
    throw new PolicyError(`'${range}' is no range of versions, such as 1.x, ^1.2.0 or >=1.0.0 <2.0.0`);
  return (candidates) => {
    const versions: { candidate: Candidate; version: NonNullable<ReturnType<typeof parseVersion>> }[] = [];
    const rejected: Rejected[] = [];
    for (const candidate of candidates) {
      const version = parseVersion(candidate.value);
      if (!version) rejected.push({ tag: candidate.tag, why: 'no version' });
      else if (!isInRange(version)) rejected.push({ tag: candidate.tag, why: `not in the range ${range}` });
      else versions.push({ candidate, version });
    }
    // Equal versions stay in the order they came in.
    versions.sort((a, b) => compareBuild(b.version, a.version));
    return { ranked: versions.map(({ candidate }) => candidate), rejected };
  };
}
