import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directoryBlobs } from '../../../lib/blobs/directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, 'blobs');
});
afterEach(() => directory.remove());

describe('the blob folder', () => {
  test('holds each blob as a file of its key, readable by its owner alone, and nothing else', async () => {
    const blobs = await directoryBlobs(root);
    await blobs.put('artifacts/a/b.tar', Buffer.from('x'));
    expect(await readFile(join(root, 'artifacts/a/b.tar'), 'utf8')).toBe('x');
    expect((await stat(join(root, 'artifacts/a/b.tar'))).mode & 0o077).toBe(0);
    expect((await stat(root)).mode & 0o077).toBe(0);
    expect((await stat(join(root, 'artifacts'))).mode & 0o077).toBe(0);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  test('removes what a killed process left half written, but not what another one is writing', async () => {
    await mkdir(join(root, '.tmp'), { recursive: true });
    await writeFile(join(root, '.tmp/old'), 'half');
    await writeFile(join(root, '.tmp/young'), 'half');
    await utimes(join(root, '.tmp/old'), 1, 1);
    const blobs = await directoryBlobs(root);
    expect(await readdir(join(root, '.tmp'))).toEqual(['young']);
    const keys: string[] = [];
    for await (const { key } of blobs.list('')) keys.push(key);
    expect(keys).toEqual([]);
  });

  test('leaves no half-written file behind when a write fails', async () => {
    const blobs = await directoryBlobs(root);
    await blobs.put('a', Buffer.from('x'));
    await expect(blobs.put('a/b', Buffer.from('y'))).rejects.toThrow();
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
    expect(Buffer.from((await blobs.get('a')) ?? []).toString()).toBe('x');
  });

  test('lists capital letters before small ones, as S3 does', async () => {
    const blobs = await directoryBlobs(root);
    for (const key of ['a', 'B', 'a-b/c', 'Z/a']) await blobs.put(key, Buffer.from('x'));
    const keys: string[] = [];
    for await (const { key } of blobs.list('')) keys.push(key);
    expect(keys).toEqual(['B', 'Z/a', 'a', 'a-b/c']);
  });
});
