import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundsOf, compareKeys } from '../../../lib/store/limits.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ä', '🚀', '\uffee'), maxLength: 4 });

test('bounds hold exactly the keys that prefix, from and to allow', () => {
  fc.assert(
    fc.property(key, key, fc.option(key, { nil: undefined }), key, (prefix, from, to, candidate) => {
      const bounds = boundsOf({ prefix, from, ...(to === undefined ? {} : { to }) });
      const within =
        compareKeys(candidate, bounds.from) >= 0 &&
        (bounds.to === undefined || compareKeys(candidate, bounds.to) < 0);
      const allowed =
        candidate.startsWith(prefix) &&
        compareKeys(candidate, from) >= 0 &&
        (to === undefined || compareKeys(candidate, to) < 0);
      expect(within).toBe(allowed);
    }),
  );
});
