import { afterAll, beforeAll, expect, test } from 'vitest';
import { DueTimes } from '../../../lib/store/due-times.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

test('due times are kept by cluster and object until they are cleared', async () => {
  const dueTimes = new DueTimes(parts.freshTable());
  await dueTimes.set('prod', 'Kustomization/apps/app', 1_000);
  await dueTimes.set('prod', 'Kustomization/apps/app', 2_000);
  await dueTimes.setAll(
    'prod',
    new Map([
      ['Kustomization/apps/other', 3_000],
      ['GitRepository/apps/app', 4_000],
    ]),
  );
  await dueTimes.set('staging', 'Kustomization/apps/app', 9_000);
  expect(await dueTimes.get('prod', 'Kustomization/apps/app')).toBe(2_000);
  await dueTimes.clear('prod', 'Kustomization/apps/other');
  expect(await dueTimes.get('prod', 'Kustomization/apps/other')).toBeUndefined();
  expect(await dueTimes.all('prod')).toEqual(
    new Map([
      ['GitRepository/apps/app', 4_000],
      ['Kustomization/apps/app', 2_000],
    ]),
  );
  expect(await dueTimes.all('none')).toEqual(new Map());
});
