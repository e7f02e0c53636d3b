import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceDirectory } from '../../../infra/aws/replace-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

/** A directory with two files that say who made it. */
async function made(name: string): Promise<{ made: string; aside: string }> {
  const own = join(directory.path, name);
  await mkdir(join(own, 'new'), { recursive: true });
  for (const file of ['a', 'b']) await writeFile(join(own, 'new', file), name);
  return { made: join(own, 'new'), aside: join(own, 'old') };
}

async function contents(target: string): Promise<string[]> {
  const files = await readdir(target);
  return Promise.all(files.sort().map((file) => readFile(join(target, file), 'utf8')));
}

describe('a directory that takes the place of another', () => {
  it('stands there whole, where there was none and where there was one with other files', async () => {
    const target = join(directory.path, 'target');
    const first = await made('first');
    await replaceDirectory(target, first.made, first.aside);
    expect(await contents(target)).toEqual(['first', 'first']);
    await writeFile(join(target, 'c'), 'first');
    const second = await made('second');
    await replaceDirectory(target, second.made, second.aside);
    expect(await contents(target)).toEqual(['second', 'second']);
  });

  it('is never mixed with others that take the same place at the same time', async () => {
    const target = join(directory.path, 'target');
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => made(`number-${index}`)));
    await Promise.all(all.map((each) => replaceDirectory(target, each.made, each.aside)));
    const [one, other, ...more] = await contents(target);
    expect(one).toMatch(/^number-\d+$/);
    expect([other, more]).toEqual([one, []]);
  });

  it('stays where it is when it cannot be moved', async () => {
    const { made: fresh, aside } = await made('first');
    await expect(replaceDirectory(join(directory.path, 'no/such/target'), fresh, aside)).rejects.toThrow(
      'ENOENT',
    );
    expect(await contents(fresh)).toEqual(['first', 'first']);
  });
});
