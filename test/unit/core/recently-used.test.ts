import fc from 'fast-check';
import { LRUCache } from 'lru-cache';
import { expect, it } from 'vitest';
import { RecentlyUsed } from '../../../lib/core/recently-used.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  fc.record({ what: fc.constant('get' as const), key }),
  fc.record({ what: fc.constant('set' as const), key, value: fc.integer({ min: 1, max: 5 }) }),
);

it('forgets what lru-cache forgets, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const own = new RecentlyUsed<number>(4, (value) => value);
      const other = new LRUCache<string, number>({ maxSize: 4, sizeCalculation: (value) => value });
      for (const { what, key: at, ...rest } of steps) {
        if (what === 'get') expect(own.get(at)).toBe(other.get(at));
        else {
          own.set(at, (rest as { value: number }).value);
          other.set(at, (rest as { value: number }).value);
        }
        expect(own.size).toBe(other.size);
      }
    }),
  );
});

it('counts values where nothing else is said', () => {
  const kept = new RecentlyUsed<string>(2);
  for (const name of ['a', 'b']) kept.set(name, name);
  expect(kept.get('a')).toBe('a');
  kept.set('c', 'c');
  expect([kept.get('a'), kept.get('b'), kept.get('c'), kept.size]).toEqual(['a', undefined, 'c', 2]);
});
