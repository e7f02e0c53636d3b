import { expect, test } from 'vitest';
import { isSet, PRUNE } from '../../../lib/toolkit/annotations.ts';

test('the value of a switch is compared without regard to case', () => {
  for (const value of ['disabled', 'Disabled', 'DISABLED'])
    expect(isSet({ [PRUNE]: value }, PRUNE, 'Disabled')).toBe(true);
  for (const value of ['', 'enabled', 'disabled '])
    expect(isSet({ [PRUNE]: value }, PRUNE, 'Disabled')).toBe(false);
  expect(isSet(undefined, PRUNE, 'Disabled')).toBe(false);
  expect(isSet({}, PRUNE, 'Disabled')).toBe(false);
});
