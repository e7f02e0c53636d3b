import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import { ReconcileError } from '../core/errors.ts';
import { celEnvironment } from './environment.ts';
import { TookTooLong, timeBoxed } from './time-box.ts';
import { toCel } from './values.ts';

/** A parsed CEL expression. */
export interface Expression {
  /** As the user wrote it. */
  readonly text: string;
  /**
   * Its value over these variables, which are JSON; integers come as BigInt.
   * @throws ReconcileError `InvalidCELExpression` (wait: a missing field may appear)
   */
  evaluate(variables: Readonly<Record<string, unknown>>): unknown;
  /** As `evaluate`, but the value must be true or false. */
  evaluateBoolean(variables: Readonly<Record<string, unknown>>): boolean;
}

/** What users write has some hundred characters; a Kubernetes rule may have 16,384. */
const MAX_LENGTH = 16_384;
/** For one evaluation, in ms; a usual one takes microseconds. */
const TIME_LIMIT = 250;

const environments = new Map<string, Environment>();

/**
 * Parses an expression and, when the variables are known, checks its types.
 * @param text CEL, as Flux takes it
 * @param options.variables the names it may use; undefined: any name (the top-level fields of an object)
 * @param options.boolean an expression that cannot be true or false is refused already here
 * @throws ReconcileError `InvalidCELExpression` (stall: only the user can change it)
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export function compileExpression(
  text: string,
  options: { variables?: readonly string[]; boolean?: boolean } = {},
): Expression {
  if (text.trim() === '') throw invalid(text, 'it is empty');
  if (text.length > MAX_LENGTH) throw invalid(text, `it is longer than ${MAX_LENGTH} characters`);
  const parsed = parse(text, options.variables);
  const checked = parsed.check();
  // Without declared variables a name could be anything, so only what is declared can be checked.
  if (options.variables !== undefined && !checked.valid) throw invalid(text, reasonOf(checked.error));
  if (options.boolean && checked.valid && checked.type !== 'bool' && checked.type !== 'dyn') {
    throw invalid(text, `its value is of type ${checked.type}, not true or false`);
  }
  function evaluate(variables: Readonly<Record<string, unknown>>): unknown {
    try {
      return timeBoxed(TIME_LIMIT, () => parsed(toCel(variables) as Record<string, unknown>) as unknown);
    } catch (error) {
      const why = error instanceof TookTooLong ? error.message : reasonOf(error);
      throw new ReconcileError('InvalidCELExpression', `evaluating ${quoted(text)} failed: ${why}`, {
        outcome: 'wait',
      });
    }
  }
  return {
    text,
    evaluate,
    evaluateBoolean(variables) {
      const value = evaluate(variables);
      if (typeof value === 'boolean') return value;
      throw new ReconcileError(
        'InvalidCELExpression',
        `the value of ${quoted(text)} is of type ${typeName(value)}, not true or false`,
        { outcome: 'stall' },
      );
    },
  };
}

function parse(text: string, variables: readonly string[] | undefined): ParseResult {
  const key = variables?.join() ?? '*';
  let environment = environments.get(key);
  if (environment === undefined) {
    environment = celEnvironment(variables);
    environments.set(key, environment);
  }
  try {
    return environment.parse(text);
  } catch (error) {
    throw invalid(text, reasonOf(error));
  }
}

function invalid(text: string, why: string): ReconcileError {
  return new ReconcileError('InvalidCELExpression', `the CEL expression ${quoted(text)} is invalid: ${why}`, {
    outcome: 'stall',
  });
}

function quoted(text: string): string {
  return `'${text.length > 200 ? `${text.slice(0, 200)}…` : text}'`;
}

/** The first line of an error: the rest repeats the expression. */
function reasonOf(error: unknown): string {
  const { summary, message } = (error ?? {}) as { summary?: string; message?: string };
  return (summary ?? message ?? String(error)).split('\n')[0] ?? '';
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  return Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value;
}
