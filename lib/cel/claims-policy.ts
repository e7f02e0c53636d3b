import { ReconcileError } from '../core/errors.ts';
import { compileExpression, type Expression } from './expression.ts';

/** Expressions over the claims of a token, as a Receiver's `oidcProviders` have them. */
export interface ClaimsExpressions {
  variables: readonly { name: string; expression: string }[];
  validations: readonly { expression: string; message: string }[];
}

/** Says what claims fail: the messages of validations that are not true. Empty when they fulfil all. */
export type ClaimsPolicy = (claims: Readonly<Record<string, unknown>>) => string[];

/** For all expressions of a token together, in ms. */
const TIME_LIMIT = 1_000;

/**
 * Compiles expressions over `claims` and `vars`. Claims that an expression needs and a token lacks fail it: nothing that cannot be
 * evaluated lets anybody in.
 * @throws ReconcileError `InvalidCELExpression` (stall)
 */
export function compileClaimsPolicy({ variables, validations }: ClaimsExpressions): ClaimsPolicy {
  const names = { variables: ['claims', 'vars'] };
  const values = variables.map(({ name, expression }): [string, Expression] => [
    name,
    compileExpression(expression, names),
  ]);
  const checks = validations.map(({ expression, message }) => ({
    message,
    check: compileExpression(expression, { ...names, boolean: true }),
  }));
  // Without any, a signature alone would be enough, and public issuers sign for anybody.
  if (checks.length === 0)
    throw new ReconcileError('InvalidCELExpression', 'at least one validation is needed', {
      outcome: 'stall',
    });
  return (claims) => {
    const began = performance.now();
    const vars: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    const inTime = () => performance.now() - began < TIME_LIMIT;
    for (const [name, expression] of values) {
      const value = inTime() ? attempt(() => expression.evaluate({ claims, vars })) : undefined;
      if (value !== undefined) vars[name] = value;
    }
    return checks
      .filter(({ check }) => !(inTime() && attempt(() => check.evaluateBoolean({ claims, vars })) === true))
      .map(({ message }) => message);
  };
}

/** The value, or undefined when it cannot be evaluated. */
function attempt<T>(evaluate: () => T): T | undefined {
  try {
    return evaluate();
  } catch {
    return undefined;
  }
}
