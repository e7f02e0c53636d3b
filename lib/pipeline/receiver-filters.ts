import { compileExpression, type Expression } from '../cel/expression.ts';
import { ReconcileError } from '../core/errors.ts';
import type { Receiver, ReceiverResource } from '../toolkit/receiver.ts';

/** What a filter looks at. */
export interface FilterInput {
  /** Type and metadata of the object. */
  res: unknown;
  /** The body of the call. */
  req: unknown;
  /** The claims of the token, for generic-oidc. */
  claims?: unknown;
}

/** Compiles one filter. @throws ReconcileError `InvalidCELExpression` (stall) */
export function compileFilter(type: Receiver['spec']['type'], text: string): Expression {
  const variables = type === 'generic-oidc' ? ['res', 'req', 'claims'] : ['res', 'req'];
  return compileExpression(text, { variables, boolean: true });
}

/**
 * Compiles the filters of a Receiver.
 * @returns for each of its resources, in order, whether an object is wanted; undefined without any filter. The functions throw
 *   ReconcileError when an expression cannot be evaluated
 * @throws ReconcileError `InvalidCELExpression` (stall), naming the field
 */
export function compileFilters({ spec }: Receiver): (((input: FilterInput) => boolean) | undefined)[] {
  const compile = (text: string | undefined, field: string): Expression[] =>
    text ? [named(field, () => compileFilter(spec.type, text))] : [];
  const common = compile(spec.resourceFilter, 'spec.resourceFilter');
  return spec.resources.map(({ filter }: ReceiverResource, index) => {
    const all = [...common, ...compile(filter, `spec.resources[${index}].filter`)];
    if (all.length === 0) return undefined;
    return (input) => all.every((expression) => expression.evaluateBoolean({ ...input }));
  });
}

function named<T>(field: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ReconcileError)) throw error;
    throw new ReconcileError(error.reason, `${field}: ${error.message}`, { outcome: error.outcome });
  }
}
