import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectSqlite } from '../../../lib/store/sqlite-connection.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function row(sort: string, value: string) {
  return { table: 't', partition: 'p', sort, value, expiresAt: 0, ifVersion: undefined, now: 1_000 };
}

test('a request that fails does not take those down that share its transaction', async () => {
  const directory = await temporaryDirectory();
  const connection = await connectSqlite(directory.path, 0);
  const results = await Promise.allSettled([
    connection.call('table.put', row('a', '1')),
    connection.call('table.put', row('b', null as unknown as string)),
    connection.call('table.put', row('c', '3')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { message: expect.stringContaining(directory.path) } });
  const query = {
    table: 't',
    partition: 'p',
    from: '',
    to: undefined,
    reverse: false,
    limit: -1,
    now: 1_000,
  };
  expect((await connection.call('table.query', query)).map(({ sort }) => sort)).toEqual(['a', 'c']);
  await connection.close();
  await directory.remove();
});

test('more requests than one transaction takes are all answered before the connection closes', async () => {
  const directory = await temporaryDirectory();
  const connection = await connectSqlite(directory.path, 0);
  const writes = Array.from({ length: 1_200 }, (_, index) =>
    connection.call('table.put', row(`${index}`, '1')),
  );
  const closing = connection.close();
  expect((await Promise.all(writes)).every((version) => version !== undefined)).toBe(true);
  await closing;
  await expect(connection.call('table.put', row('late', '1'))).rejects.toThrow('is closed');
  await directory.remove();
});

test('the database is for its owner alone, whoever may look into its directory', async () => {
  const directory = await temporaryDirectory();
  await chmod(directory.path, 0o755);
  const connection = await connectSqlite(directory.path, 0);
  await connection.call('table.put', row('a', '1'));
  const files = (await readdir(directory.path)).filter((name) => name.startsWith('slipway.db'));
  expect(files).toContain('slipway.db-wal');
  for (const name of files) expect((await stat(join(directory.path, name))).mode & 0o077, name).toBe(0);
  await connection.close();
  await directory.remove();
});
