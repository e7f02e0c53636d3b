import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../lib/core/digest.ts';
import { type InputRecord, Inputs } from '../../../lib/store/inputs.ts';
import { type TestSqlite, testSqlite } from '../../support/sqlite.ts';

let parts: TestSqlite;
beforeAll(async () => {
  parts = await testSqlite();
});
afterAll(() => parts.close());

function record(files: readonly string[]): InputRecord {
  return {
    generation: 3,
    revision: 'main@sha1:abc',
    closure: { files: [...files], missing: ['kustomization.yml'], directories: ['.'] },
    closureDigest: sha256('closure'),
    inputDigest: sha256('input'),
    renderedDigest: sha256('rendered'),
  };
}

describe('input records', () => {
  test('are kept by cluster and object until they are removed', async () => {
    const inputs = new Inputs(parts.freshTable());
    const small = record(['kustomization.yaml']);
    await inputs.put('prod', 'Kustomization/apps/app', small);
    await inputs.put('staging', 'Kustomization/apps/app', record([]));
    expect(await inputs.get('prod', 'Kustomization/apps/app')).toEqual(small);
    expect(await inputs.get('prod', 'Kustomization/apps/none')).toBeUndefined();
    await inputs.remove('prod', 'Kustomization/apps/app');
    expect(await inputs.loadCluster('prod')).toEqual(new Map());
    expect((await inputs.loadCluster('staging')).size).toBe(1);
  });

  test('of objects that read thousands of files are kept whole', async () => {
    const inputs = new Inputs(parts.freshTable());
    const large = record(
      Array.from({ length: 20_000 }, (_, index) => `clusters/production/apps/app-${index}/deployment.yaml`),
    );
    await inputs.put('prod', 'Kustomization/apps/large', large);
    await inputs.put('prod', 'Kustomization/apps/small', record(['a']));
    expect(await inputs.get('prod', 'Kustomization/apps/large')).toEqual(large);
    expect(await inputs.loadCluster('prod')).toEqual(
      new Map([
        ['Kustomization/apps/large', large],
        ['Kustomization/apps/small', record(['a'])],
      ]),
    );
  });

  test('too large for any row are forgotten, also when there was a smaller one before', async () => {
    const inputs = new Inputs(parts.freshTable());
    await inputs.put('prod', 'Kustomization/apps/app', record(['a']));
    const huge = record(Array.from({ length: 20_000 }, (_, index) => sha256(`${index}`)));
    await inputs.put('prod', 'Kustomization/apps/app', huge);
    expect(await inputs.get('prod', 'Kustomization/apps/app')).toBeUndefined();
  });
});
