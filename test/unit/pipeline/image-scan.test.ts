import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReconcileError } from '../../../lib/core/errors.ts';
import type { RemoteImage } from '../../../lib/oci/registries.ts';
import { RegistryError } from '../../../lib/oci/registry-error.ts';
import { asked, checksumOf, listAll, lookFor, usableHint } from '../../../lib/pipeline/image-scan.ts';
import type { TagRecord } from '../../../lib/store/image-tags.ts';
import type { ImageRepository } from '../../../lib/toolkit/image-repository.ts';

const MINUTE = 60_000;

function repository(exclusionList: string[] = []): ImageRepository {
  return {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImageRepository',
    metadata: { name: 'app', namespace: 'apps' },
    spec: { image: 'ghcr.io/a/b', interval: '1h', provider: 'generic', exclusionList },
  };
}

/** A registry whose list may lag behind what it holds. */
function registry(listed: readonly string[], held: readonly string[] = listed) {
  const calls: string[] = [];
  const image: RemoteImage = {
    tags: async (validator) => {
      calls.push('list');
      return validator === 'same' ? undefined : { tags: [...listed], validator: 'same' };
    },
    resolve: async (tag) => {
      calls.push(tag);
      return held.includes(tag) ? `sha256:${'0'.repeat(64)}` : undefined;
    },
    manifest: async () => undefined,
  };
  return { image, calls };
}

describe('a list of all tags', () => {
  test('is sorted, the highest first, without what is excluded and without doubles', async () => {
    const { image } = registry(['b', 'a', 'a.sig', 'c', 'B']);
    const found = await listAll(repository(['\\.sig$']), image, undefined, undefined, 7);
    expect(found).toEqual({
      image: 'ghcr.io/a/b',
      tags: ['c', 'b', 'a', 'B'],
      exclusionList: ['\\.sig$'],
      listedAt: 7,
      validator: 'same',
      seen: {},
    });
  });

  test('that lags behind loses no tag that was seen a moment ago, and keeps none that is gone', async () => {
    const { image, calls } = registry(['1.0.0'], ['1.0.0', '1.1.0']);
    const known: TagRecord = {
      ...(await listAll(repository(), image, undefined, undefined, 0)),
      seen: { '1.1.0': MINUTE, '1.2.0': MINUTE, '0.9.0': -60 * MINUTE },
    };
    calls.length = 0;
    const found = await listAll(repository(['x']), image, known, undefined, 2 * MINUTE);
    expect(found.tags).toEqual(['1.1.0', '1.0.0']);
    expect(found.seen).toEqual({ '1.1.0': MINUTE });
    expect(calls).toEqual(['list', '1.1.0', '1.2.0']);
    // After a while the list alone counts.
    const later = await listAll(repository(), image, found, undefined, 30 * MINUTE);
    expect(later.tags).toEqual(['1.0.0']);
  });

  test('holds the tag that a webhook spoke of, though the list does not show it yet', async () => {
    const { image } = registry(['1.0.0'], ['1.0.0', '1.1.0']);
    expect((await listAll(repository(), image, undefined, '1.1.0', 0)).tags).toEqual(['1.1.0', '1.0.0']);
    expect((await listAll(repository(), image, undefined, '9.9.9', 0)).tags).toEqual(['1.0.0']);
    expect((await listAll(repository(['^1\\.1']), image, undefined, '1.1.0', 0)).tags).toEqual(['1.0.0']);
  });

  test('is the one before where the registry says that it is the same, unless other tags are excluded now', async () => {
    const { image } = registry(['1.0.0', '2.0.0']);
    const first = await listAll(repository(), image, undefined, undefined, 0);
    const again = await listAll(repository(), { ...image, tags: async () => undefined }, first, undefined, 9);
    expect(again).toEqual({ ...first, listedAt: 9 });
    const other = await listAll(repository(['^2']), image, again, undefined, 10);
    expect(other.tags).toEqual(['1.0.0']);
  });

  test('is none when a pattern is invalid: then nothing is asked for again until it is changed', async () => {
    const failing = listAll(repository(['(']), registry(['a']).image, undefined, undefined, 0);
    await expect(failing).rejects.toMatchObject({ reason: 'ReadOperationFailed', outcome: 'stall' });
  });
});

describe('a look for one tag', () => {
  const known = (tags: string[]): TagRecord => ({
    image: 'ghcr.io/a/b',
    tags,
    exclusionList: ['\\.sig$'],
    listedAt: 1,
    validator: 'same',
    seen: {},
  });

  test('adds it, takes it out, or leaves all as it is', async () => {
    const { image, calls } = registry([], ['1.1.0']);
    expect(await lookFor(image, known(['1.0.0']), '1.1.0', 5)).toMatchObject({
      tags: ['1.1.0', '1.0.0'],
      seen: { '1.1.0': 5 },
      listedAt: 1,
    });
    expect((await lookFor(image, known(['1.0.0']), '1.0.0', 5)).tags).toEqual([]);
    const excluded = known(['1.0.0']);
    expect(await lookFor(image, excluded, '1.1.0.sig', 5)).toBe(excluded);
    expect(calls).toEqual(['1.1.0', '1.0.0']);
  });

  test('lets the next list be asked for in full', async () => {
    expect(await lookFor(registry([], ['x']).image, known([]), 'x', 5)).not.toHaveProperty('validator');
  });

  test('notes a bounded number of tags', async () => {
    const { image } = registry(
      [],
      Array.from({ length: 200 }, (_, i) => `t${i}`),
    );
    let record = known([]);
    for (let i = 0; i < 200; i++) record = await lookFor(image, record, `t${i}`, i);
    expect(Object.keys(record.seen)).toHaveLength(64);
    expect(record.seen).toHaveProperty('t199');
    expect(record.tags).toHaveLength(200);
  });

  test('gives the same as a list of all, in whatever order tags are spoken of', async () => {
    const tag = fc.stringMatching(/^[a-z0-9][a-z0-9.]{0,5}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(tag, { maxLength: 8 }),
        fc.array(tag, { maxLength: 8 }),
        async (held, more) => {
          const { image } = registry(held);
          let record: TagRecord = { ...known(more.filter((each) => !each.endsWith('.sig'))), validator: 'x' };
          for (const each of [...held, ...more]) record = await lookFor(image, record, each, 1);
          const all = await listAll(repository(['\\.sig$']), image, undefined, undefined, 1);
          expect(record.tags).toEqual(all.tags);
        },
      ),
    );
  });
});

test('the checksum is that of the Toolkit', () => {
  // Adler-32 over the JSON of the list.
  expect(checksumOf([])).toBe('18153657');
  expect(checksumOf(['1.1.0', '1.0.0'])).toBe('495453000');
});

test('what can be no tag is no hint', () => {
  expect(['v1', undefined, '', '../x', 'a b'].map(usableHint)).toEqual(['v1', ...Array(4).fill(undefined)]);
});

test('what a registry refuses says when to come back, or that it is pointless', async () => {
  const fail = (error: Error) => asked(() => Promise.reject(error)).catch((thrown: unknown) => thrown);
  const limited = await fail(new RegistryError('rate-limited', 'slowly', { retryAfter: 5_000 }));
  expect(limited).toBeInstanceOf(ReconcileError);
  expect(limited).toMatchObject({ outcome: 'retry', retryAfter: 5_000, message: 'scan failed: slowly' });
  expect(await fail(new RegistryError('refused', 'no'))).toMatchObject({ outcome: 'stall' });
  const other = new TypeError('a fault of ours');
  expect(await fail(other)).toBe(other);
});
