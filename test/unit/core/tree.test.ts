import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Closure, closureDigest, type TreeIndex } from '../../../lib/core/tree.ts';

const index: TreeIndex = { 'a/x.yaml': 'sha256:1', 'a/b/y.yaml': 'sha256:2', 'c.yaml': 'sha256:3' };
const none: Closure = { files: [], missing: [], directories: [] };

function differs(closure: Partial<Closure>, changed: TreeIndex): boolean {
  const full = { ...none, ...closure };
  return closureDigest(full, { ...index }) !== closureDigest(full, changed);
}

describe('the digest of a closure', () => {
  test('changes with the content of a file that was read, and with its removal', () => {
    expect(differs({ files: ['c.yaml'] }, { ...index, 'c.yaml': 'sha256:4' })).toBe(true);
    const { 'c.yaml': _, ...without } = index;
    expect(differs({ files: ['c.yaml'] }, without)).toBe(true);
  });

  test('does not change with files that nothing looked at', () => {
    expect(differs({ files: ['c.yaml'] }, { ...index, 'a/x.yaml': 'sha256:9', 'd/z': 'sha256:1' })).toBe(
      false,
    );
  });

  test('changes when a path that was looked for becomes a file, a directory, or turns from one into the other', () => {
    expect(differs({ missing: ['d'] }, { ...index, d: 'sha256:1' })).toBe(true);
    expect(differs({ missing: ['d'] }, { ...index, 'd/e/f': 'sha256:1' })).toBe(true);
    expect(
      differs({ missing: ['a/b'] }, { 'a/x.yaml': 'sha256:1', 'a/b': 'sha256:2', 'c.yaml': 'sha256:3' }),
    ).toBe(true);
    expect(differs({ missing: ['a/b'] }, { ...index, 'a/b/y.yaml': 'sha256:9' })).toBe(false);
  });

  test('changes with the entries of a directory that was listed, not with their content', () => {
    expect(differs({ directories: ['a'] }, { ...index, 'a/new.yaml': 'sha256:1' })).toBe(true);
    expect(differs({ directories: ['.'] }, { ...index, 'new/x': 'sha256:1' })).toBe(true);
    expect(differs({ directories: ['a'] }, { ...index, 'a/x.yaml': 'sha256:9' })).toBe(false);
    expect(differs({ directories: ['a'] }, { ...index, 'a/b/z.yaml': 'sha256:9' })).toBe(false);
  });

  test('tells an empty tree from a directory that is not there', () => {
    const listed = { ...none, directories: ['.', 'a'] };
    expect(closureDigest(listed, {})).not.toBe(closureDigest(listed, index));
  });

  test('takes names of built-in properties for names', () => {
    const closure = { ...none, files: ['constructor'], missing: ['toString', '__proto__'] };
    expect(closureDigest(closure, index)).toBe(closureDigest(closure, {}));
  });

  test('does not depend on the order of the index', () => {
    const everything = { files: Object.keys(index), missing: ['a', 'zzz'], directories: ['.', 'a', 'a/b'] };
    const entries = fc.shuffledSubarray(Object.entries(index), { minLength: 3 });
    fc.assert(
      fc.property(
        entries,
        (shuffled) =>
          closureDigest(everything, Object.fromEntries(shuffled)) === closureDigest(everything, index),
      ),
    );
  });

  test('for 300 closures over 5,000 files takes no longer than looking at each named path once', () => {
    const large: TreeIndex = {};
    for (let n = 0; n < 5_000; n++) large[`apps/app-${n % 300}/dir-${n % 7}/file-${n}.yaml`] = `sha256:${n}`;
    const closures = Array.from({ length: 300 }, (_, n) => ({
      files: Object.keys(large).filter((path) => path.startsWith(`apps/app-${n}/`)),
      missing: Array.from({ length: 30 }, (_, m) => `apps/app-${n}/missing-${m}`),
      directories: ['apps', `apps/app-${n}`],
    }));
    let reads = 0;
    const counting = new Proxy(large, {
      ownKeys: (target) => {
        reads += 5_000;
        return Reflect.ownKeys(target);
      },
      getOwnPropertyDescriptor: (target, key) => {
        reads++;
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
    });
    const digests = new Set(closures.map((closure) => closureDigest(closure, counting)));
    expect(digests.size).toBe(300);
    expect(reads).toBeLessThan(5_000 * 4 + 300 * 30 * 2);
  });
});
