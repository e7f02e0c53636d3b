import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFleet } from '../../../functions/open-fleet.ts';
import { openKey } from '../../../functions/open-key.ts';
import { createSeal } from '../../../lib/secrets/seal.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function withFleet<T>(text: string, work: (directory: string, path: string) => Promise<T>): Promise<T> {
  const directory = await temporaryDirectory();
  try {
    const path = join(directory.path, 'slipway.yaml');
    await writeFile(path, text);
    return await work(directory.path, path);
  } finally {
    await directory.remove();
  }
}

test('an installation makes itself a key that its owner alone may read, and keeps it', async () => {
  await withFleet('storage: { directory: ./data }', async (directory, path) => {
    const open = await openFleet(path);
    const keys = await Promise.all([openKey(open), openKey(open), openKey(open)]);
    expect(new Set(keys).size).toBe(1);
    expect(await openKey(await openFleet(path))).toBe(keys[0]);
    const file = join(directory, 'data/key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readFile(file, 'utf8'), 'base64')).toHaveLength(32);
    await createSeal(keys[0] ?? '');
  });
});

test('the key that the fleet file names is taken in its place', async () => {
  await withFleet('storage: { key: "file:secret" }', async (directory, path) => {
    await writeFile(join(directory, 'secret'), 'a key of our own that is long enough\n');
    expect(await openKey(await openFleet(path))).toBe('a key of our own that is long enough');
    await writeFile(join(directory, 'secret'), 'short');
    await expect(openKey(await openFleet(path)).then(createSeal)).rejects.toThrow(/at least 32 characters/);
  });
});
