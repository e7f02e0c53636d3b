import { describe, expect, test } from 'vitest';
import { compileClaimsPolicy } from '../../../lib/cel/claims-policy.ts';

const policy = compileClaimsPolicy({
  variables: [
    { name: 'owner', expression: 'claims.repository_owner' },
    { name: 'allowed', expression: "[vars.owner + '/a', vars.owner + '/b']" },
  ],
  validations: [
    { expression: "vars.owner == 'acme'", message: 'wrong owner' },
    { expression: 'claims.repository in vars.allowed', message: 'wrong repository' },
  ],
});

describe('a policy over claims', () => {
  test('lets through what fulfils every validation', () => {
    expect(policy({ repository_owner: 'acme', repository: 'acme/b' })).toEqual([]);
  });

  test('names all that fails', () => {
    expect(policy({ repository_owner: 'evil', repository: 'acme/b' })).toEqual([
      'wrong owner',
      'wrong repository',
    ]);
    expect(policy({ repository_owner: 'acme', repository: 'acme/c' })).toEqual(['wrong repository']);
  });

  test('lets nobody in whose claims are missing, empty or of another type', () => {
    for (const claims of [
      {},
      { repository_owner: '' },
      { repository_owner: null },
      { repository_owner: ['acme'] },
    ])
      expect(policy(claims)).toEqual(['wrong owner', 'wrong repository']);
    const negative = compileClaimsPolicy({
      variables: [],
      validations: [{ expression: "claims.owner != 'evil'", message: 'evil' }],
    });
    expect(negative({})).toEqual(['evil']);
  });

  test('reaches nothing of the runtime by the name of a claim', () => {
    const named = compileClaimsPolicy({
      variables: [],
      validations: [{ expression: "claims.constructor == 'x'", message: 'no' }],
    });
    expect([named({}), named({ constructor: 'x' })]).toEqual([['no'], ['no']]);
  });

  test('ends within its time whatever the expressions do', () => {
    const slow = "claims.text.matches('^(a+)+$')";
    const policies = Array.from({ length: 100 }, (_, index) => ({ expression: slow, message: `m${index}` }));
    const failures = compileClaimsPolicy({ variables: [], validations: policies })({
      text: `${'a'.repeat(60)}!`,
    });
    expect(failures).toHaveLength(100);
  });

  test('is refused without a validation, or with an expression that is no condition', () => {
    expect(() => compileClaimsPolicy({ variables: [], validations: [] })).toThrow(/at least one validation/);
    for (const expression of ['claims.', '1', 'unknown == 1'])
      expect(() =>
        compileClaimsPolicy({ variables: [], validations: [{ expression, message: 'x' }] }),
      ).toThrow(expect.objectContaining({ reason: 'InvalidCELExpression' }));
  });
});
