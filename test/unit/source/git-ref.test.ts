import { expect, test } from 'vitest';
import { parseRefs } from '../../../lib/git/refs.ts';
import { patternsOf, refOfRevision, resolveRef, wantedRef } from '../../../lib/source/git-ref.ts';
import type { GitRepository } from '../../../lib/toolkit/git-repository.ts';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const REFS = parseRefs(
  [
    `${A}\trefs/heads/main`,
    `${B}\trefs/heads/master`,
    `${C}\trefs/heads/v1.0.0`,
    `${A}\trefs/pull/1/head`,
    `${C}\trefs/tags/v1.0.0`,
    `${B}\trefs/tags/v1.0.0^{}`,
    `${A}\trefs/tags/v1.1.0`,
    `${A}\trefs/tags/v2.0.0-rc.1`,
  ].join('\n'),
);

type Ref = NonNullable<GitRepository['spec']['ref']>;

function revisionOf(ref: Ref | undefined): string | undefined {
  const wanted = wantedRef({ url: '', interval: '1m', timeout: '60s', ...(ref ? { ref } : {}) });
  if (typeof wanted === 'string') return wanted;
  return resolveRef(wanted, REFS)?.revision;
}

test.each<[Ref | undefined, string]>([
  [undefined, `master@sha1:${B}`],
  [{}, `master@sha1:${B}`],
  [{ branch: 'main' }, `main@sha1:${A}`],
  [{ tag: 'v1.0.0' }, `v1.0.0@sha1:${B}`],
  [{ tag: 'v1.0.0', branch: 'main' }, `v1.0.0@sha1:${B}`],
  [{ semver: '1.x', tag: 'v1.0.0', branch: 'main' }, `v1.1.0@sha1:${A}`],
  [{ semver: '>=2.0.0-0' }, `v2.0.0-rc.1@sha1:${A}`],
  [{ name: 'refs/pull/1/head', semver: '1.x', branch: 'main' }, `refs/pull/1/head@sha1:${A}`],
  [{ name: 'refs/heads/main' }, `refs/heads/main@sha1:${A}`],
  [{ name: 'refs/tags/v1.0.0^{}' }, `refs/tags/v1.0.0^{}@sha1:${B}`],
  [{ commit: C }, `sha1:${C}`],
  [{ commit: C, branch: 'main' }, `main@sha1:${C}`],
  [{ commit: C, name: 'refs/pull/1/head', semver: '*' }, `refs/pull/1/head@sha1:${C}`],
  [{ commit: 'd'.repeat(64) }, `sha256:${'d'.repeat(64)}`],
])('%j is %s', (ref, revision) => {
  expect(revisionOf(ref)).toBe(revision);
});

test.each<[Ref]>([
  [{ branch: 'gone' }],
  [{ tag: 'main' }],
  [{ semver: '>=3' }],
  [{ name: 'refs/heads/gone' }],
])('%j is not there', (ref) => {
  expect(revisionOf(ref)).toBeUndefined();
});

test('a branch and a tag of the same name are told apart', () => {
  expect(revisionOf({ branch: 'v1.0.0' })).toBe(`v1.0.0@sha1:${C}`);
  expect(revisionOf({ tag: 'v1.0.0' })).toBe(`v1.0.0@sha1:${B}`);
});

test.each<[Ref, string]>([
  [{ branch: '../../etc' }, 'branch'],
  [{ branch: 'a b' }, 'branch'],
  [{ branch: '*' }, 'branch'],
  [{ tag: 'v1@{1}' }, 'tag'],
  [{ tag: 'x'.repeat(4_096) }, 'tag'],
  [{ semver: 'latest' }, 'semver'],
  [{ name: 'main' }, 'name'],
  [{ name: '--upload-pack=x' }, 'name'],
  [{ commit: 'abc' }, 'commit'],
  [{ commit: 'A'.repeat(40) }, 'commit'],
  [{ commit: C, branch: '..' }, 'branch'],
])('%j is refused, naming the field', (ref, field) => {
  expect(revisionOf(ref)).toContain(`spec.ref.${field}`);
});

test('only the refs that matter are asked for, and are found again from a revision', () => {
  const wanted = (ref: Ref) => {
    const result = wantedRef({ url: '', interval: '1m', timeout: '60s', ref });
    if (typeof result === 'string') throw new Error(result);
    return result;
  };
  expect(patternsOf(wanted({ branch: 'main' }))).toEqual(['refs/heads/main']);
  expect(patternsOf(wanted({ semver: '*' }))).toEqual(['refs/tags/*']);
  expect(patternsOf(wanted({ name: 'refs/tags/v1^{}' }))).toEqual(['refs/tags/v1']);
  expect(refOfRevision(wanted({ semver: '*' }), 'v1.1.0')).toBe('refs/tags/v1.1.0');
  expect(refOfRevision(wanted({ branch: 'main' }), 'main')).toBe('refs/heads/main');
  expect(refOfRevision(wanted({ commit: C }), '')).toBeUndefined();
  expect(refOfRevision(wanted({ commit: C, branch: 'main' }), 'main')).toBe('refs/heads/main');
});
