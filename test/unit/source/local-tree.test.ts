import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import {
  localTree,
  openLocalRepository,
  readCommit,
  readWorkingTree,
} from '../../../lib/source/local-tree.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const limits = { maxFiles: 100, maxBytes: 1024 * 1024 };
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory.path, path, '..'), { recursive: true });
    await writeFile(join(directory.path, path), text);
  }
}

async function git(...args: string[]): Promise<void> {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'init.defaultBranch=main'];
  const { code, stderr } = await run('git', [...who, ...args], { cwd: directory.path });
  if (code !== 0) throw new Error(stderr);
}

async function paths(given?: string, cwd = directory.path): Promise<string[]> {
  const repository = await openLocalRepository(run, given, cwd);
  return (await readWorkingTree(run, repository, limits)).map(({ path }) => path);
}

describe('without Git', () => {
  test('every file is read, links are not', async () => {
    await write({ 'b/c.yaml': '1', 'a.yaml': '2' });
    await symlink('/etc/passwd', join(directory.path, 'link.yaml'));
    await symlink('/etc', join(directory.path, 'etc'));
    expect(await paths(directory.path)).toEqual(['a.yaml', 'b/c.yaml']);
  });

  test('what is no directory is refused', async () => {
    await expect(openLocalRepository(run, 'nowhere', directory.path)).rejects.toThrow(
      'nowhere is not a directory',
    );
  });
});

describe('with Git', () => {
  beforeEach(async () => {
    await write({ '.gitignore': 'secret.yaml\n', 'apps/a.yaml': 'old', 'gone.yaml': '' });
    await git('init', '-q');
    await git('add', '.');
    await git('commit', '-q', '-m', 'first');
    await git('remote', 'add', 'origin', 'https://git.example.com/fleet.git');
    await rm(join(directory.path, 'gone.yaml'));
    await write({ 'apps/a.yaml': 'new', 'apps/ü b.yaml': 'untracked', 'secret.yaml': 'ignored' });
  });

  test('the files on disk are those that the next commit would hold', async () => {
    expect(await paths()).toEqual(['.gitignore', 'apps/a.yaml', 'apps/ü b.yaml']);
    expect(await paths(undefined, join(directory.path, 'apps'))).toHaveLength(3);
  });

  test('a directory that is named is the root, wherever the top of the work tree is', async () => {
    expect(await paths('apps')).toEqual(['a.yaml', 'ü b.yaml']);
  });

  test('a commit is read as it was made', async () => {
    const repository = await openLocalRepository(run, undefined, directory.path);
    expect(repository.remotes).toEqual(['https://git.example.com/fleet.git']);
    const { commit, files } = await readCommit(run, repository, 'HEAD', limits);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(files.map(({ path, data }) => [path, Buffer.from(data).toString()])).toEqual([
      ['.gitignore', 'secret.yaml\n'],
      ['apps/a.yaml', 'old'],
      ['gone.yaml', ''],
    ]);
    const below = await openLocalRepository(run, 'apps', directory.path);
    expect((await readCommit(run, below, 'main', limits)).files.map(({ path }) => path)).toEqual(['a.yaml']);
  });

  test('a commit that is not there is named', async () => {
    const repository = await openLocalRepository(run, undefined, directory.path);
    for (const name of ['0123abc', '--output=x'])
      await expect(readCommit(run, repository, name, limits)).rejects.toThrow(`has no commit ${name}`);
  });
});

test('limits hold, and what .sourceignore and spec.ignore leave out is not in the tree', async () => {
  await write({ 'a.yaml': 'a', 'b.yaml': 'b', 'docs/c.yaml': 'c', '.sourceignore': 'docs/\n' });
  const repository = await openLocalRepository(run, directory.path, '/');
  await expect(readWorkingTree(run, repository, { ...limits, maxFiles: 2 })).rejects.toThrow('4 files');
  const tree = localTree(await readWorkingTree(run, repository, limits), '/b.yaml');
  expect(Object.keys(tree.index)).toEqual(['.sourceignore', 'a.yaml']);
  expect(tree.digest).toMatch(/^sha256:/);
});
