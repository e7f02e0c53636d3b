import { expect, it } from 'vitest';
import { workOf } from '../../../lib/pipeline/kind-work.ts';
import { kinds } from '../../../lib/pipeline/kinds.ts';

it.each(Object.keys(kinds))('something is done for a %s', (kind) => {
  expect(workOf(kind)).toEqual({ reconcile: expect.any(Function), cleanUp: expect.any(Function) });
});

it('nothing is done for a kind that is not reconciled', () => {
  expect(() => workOf('HelmRelease')).toThrow('objects of kind HelmRelease are not reconciled');
});
