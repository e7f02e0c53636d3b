import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeLeftovers } from '../../../lib/git/leftovers.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('only old directories of ours are removed', async () => {
  const { path, remove } = await temporaryDirectory();
  const now = Date.parse('2026-01-02T00:00:00Z');
  const make = (name: string, ageHours: number) => {
    mkdirSync(join(path, name, 'inner'), { recursive: true });
    const at = (now - ageHours * 3_600_000) / 1_000;
    utimesSync(join(path, name), at, at);
  };
  make('slipway-git-old', 7);
  make('slipway-gpg-old', 7);
  make('slipway-private-old', 7);
  make('slipway-git-running', 1);
  make('mirrors', 700);
  await removeLeftovers(path, now);
  expect(readdirSync(path).sort()).toEqual(['mirrors', 'slipway-git-running']);
  await removeLeftovers(join(path, 'absent'), now);
  await remove();
});
