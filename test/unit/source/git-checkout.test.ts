import { expect, test } from 'vitest';
import { GitError } from '../../../lib/git/errors.ts';
import { normaliseDirectories } from '../../../lib/source/git-checkout.ts';

test('spellings of a directory are one', () => {
  expect(normaliseDirectories(['./apps', 'apps/', '/apps//web/.', '.', ''])).toEqual([
    'apps',
    'apps',
    'apps/web',
    '',
    '',
  ]);
});

test.each(['..', '../sibling.yaml', 'a/../../b', 'a/..'])('%s is refused', (directory) => {
  expect(() => normaliseDirectories([directory])).toThrow(GitError);
});
