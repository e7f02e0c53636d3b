import { expect, test } from 'vitest';
import { substitution } from '../../../lib/render/substitute.ts';

test('without postBuild nothing is substituted, whatever the variables', () => {
  expect(substitution(undefined, { a: 'b' })).toBeUndefined();
});

test('values lose their line breaks', () => {
  expect(substitution({}, { a: 'one\ntwo\n', b: '' })).toEqual({
    variables: { a: 'onetwo', b: '' },
    always: false,
  });
});

test('the strategy Always asks for substitution without variables', () => {
  expect(substitution({ substituteStrategy: 'Always' }, {})?.always).toBe(true);
  expect(substitution({ substituteStrategy: 'WithVariables' }, {})?.always).toBe(false);
});
