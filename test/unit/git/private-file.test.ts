import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import { createPrivateFile } from '../../../lib/git/private-file.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('child processes can read it, more than once, until it is closed', async () => {
  const { path, remove } = await temporaryDirectory();
  const file = createPrivateFile('canary', path);
  for (const _ of [1, 2]) expect(String((await run('cat', [file.path])).stdout)).toBe('canary');
  file.close();
  file.close();
  expect((await run('cat', [file.path])).code).not.toBe(0);
  await remove();
});

test('nothing of it stands in the directory while it is open, nor afterwards', async () => {
  const { path, remove } = await temporaryDirectory();
  const file = createPrivateFile('canary', path);
  const during = readdirSync(path);
  file.close();
  expect([during, readdirSync(path)]).toEqual([[], []]);
  await remove();
});
