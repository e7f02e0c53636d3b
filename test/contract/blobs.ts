import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Blobs } from '../../lib/blobs/blobs.ts';

/** A blob store to be tested. */
export interface BlobsUnderTest {
  blobs: Blobs;
  close(): Promise<void>;
}

/** What every implementation of the blob store must do. The tests share one store and keep to their own prefixes. */
export function blobsContract(name: string, open: () => Promise<BlobsUnderTest>): void {
  describe(name, () => {
    let parts: BlobsUnderTest;
    let blobs: Blobs;
    beforeAll(async () => {
      parts = await open();
      blobs = parts.blobs;
    });
    afterAll(() => parts.close());

    async function keys(prefix: string): Promise<string[]> {
      const found: string[] = [];
      for await (const { key } of blobs.list(prefix)) found.push(key);
      return found;
    }
    async function textOf(key: string): Promise<string | undefined> {
      const bytes = await blobs.get(key);
      return bytes && Buffer.from(bytes).toString();
    }

    test('gives back the bytes, none included', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      await blobs.put('bytes/a.bin', bytes);
      await blobs.put('bytes/empty', new Uint8Array());
      expect(Buffer.from((await blobs.get('bytes/a.bin')) ?? [])).toEqual(Buffer.from(bytes));
      expect((await blobs.get('bytes/empty'))?.length).toBe(0);
    });

    test('knows what is there and what is not', async () => {
      await blobs.put('known/x', Buffer.from('1'));
      expect(await blobs.has('known/x')).toBe(true);
      expect(await blobs.has('known')).toBe(false);
      expect(await blobs.has('known/y')).toBe(false);
      expect(await blobs.get('known/y')).toBeUndefined();
      expect(await blobs.has('known/x/deeper')).toBe(false);
      expect(await blobs.get('known/x/deeper')).toBeUndefined();
    });

    test('changes nothing when the same key is stored again', async () => {
      await blobs.put('twice/x', Buffer.from('first'));
      await blobs.put('twice/x', Buffer.from('second'));
      expect(await textOf('twice/x')).toBe('first');
    });

    test('keeps one whole blob when many store the same key at once', async () => {
      const data = Buffer.alloc(100_000, 'x');
      await Promise.all(Array.from({ length: 10 }, () => blobs.put('many/at/once', data)));
      expect(Buffer.compare(Buffer.from((await blobs.get('many/at/once')) ?? []), data)).toBe(0);
      expect(await keys('many/')).toEqual(['many/at/once']);
    });

    test('deletes a blob, and takes a missing one for deleted', async () => {
      await blobs.put('gone/x', Buffer.from('1'));
      await blobs.delete('gone/x');
      await blobs.delete('gone/x');
      expect(await blobs.has('gone/x')).toBe(false);
      await blobs.put('gone/x', Buffer.from('2'));
      expect(await textOf('gone/x')).toBe('2');
    });

    test('lists keys with their sizes in order, by prefix', async () => {
      for (const key of ['l/b/1', 'l/a', 'l/b.c', 'l/b-d', 'm/a', 'l/b/0/z']) {
        await blobs.put(key, Buffer.from(key));
      }
      expect(await keys('l/')).toEqual(['l/a', 'l/b-d', 'l/b.c', 'l/b/0/z', 'l/b/1']);
      expect(await keys('l/b')).toEqual(['l/b-d', 'l/b.c', 'l/b/0/z', 'l/b/1']);
      expect(await keys('l/b/')).toEqual(['l/b/0/z', 'l/b/1']);
      expect(await keys('none/')).toEqual([]);
      expect(await keys('')).toContain('m/a');
      for await (const { size, modifiedAt } of blobs.list('l/b/1')) {
        expect(size).toBe(5);
        expect(modifiedAt).toBeGreaterThan(Date.UTC(2025));
      }
    });

    test('lists more than one answer of the store holds', async () => {
      const all = Array.from({ length: 1_010 }, (_, index) => `page/${String(index).padStart(4, '0')}`);
      for (let start = 0; start < all.length; start += 50) {
        await Promise.all(all.slice(start, start + 50).map((key) => blobs.put(key, Buffer.from('x'))));
      }
      expect(await keys('page/')).toEqual(all);
    });

    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '..',
      '../a',
      'a/../b',
      './a',
      '.a',
      'a/.b',
      'a b',
      'a\0',
      'ä',
      'a\\b',
    ];
    test.each(bad)('refuses the key %j', async (key) => {
      await expect(blobs.put(key, Buffer.from('x'))).rejects.toThrow('not allowed');
      await expect(blobs.get(key)).rejects.toThrow('not allowed');
      await expect(blobs.has(key)).rejects.toThrow('not allowed');
      await expect(blobs.delete(key)).rejects.toThrow('not allowed');
    });

    test('refuses a prefix that leads out of the store', async () => {
      await expect(keys('../')).rejects.toThrow('not allowed');
      await expect(keys('/etc/')).rejects.toThrow('not allowed');
    });
  });
}
