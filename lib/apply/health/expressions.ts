import { LRUCache } from 'lru-cache';
import { compileExpression, type Expression } from '../../cel/expression.ts';
import { messageOf, ReconcileError } from '../../core/errors.ts';
import type { KubernetesObject } from '../../core/object.ts';
import { parseApiVersion } from '../../core/object.ts';
import { type Health, int } from './health.ts';

/** One entry of `spec.healthCheckExprs`. */
export interface HealthCheckExpressions {
  apiVersion: string;
  /** Undefined: every kind of the group that has no entry of its own. */
  kind?: string | undefined;
  current: string;
  inProgress?: string | undefined;
  failed?: string | undefined;
}

/** The health of objects by the expressions of a Kustomization; undefined for kinds without one. */
export type ExpressedHealth = (object: KubernetesObject) => Health | undefined;

interface Compiled {
  current: Expression;
  inProgress: Expression | undefined;
  failed: Expression | undefined;
}

/** Parsed expressions by what they were parsed from: the same few are used in every run. */
const compiled = new LRUCache<string, Expression>({ max: 2_000 });

/**
 * Compiles `spec.healthCheckExprs`. An object whose controller has not seen its newest generation is in progress; then
 * `inProgress`, `failed` and `current` are asked in this order, and none of them means in progress.
 * @throws ReconcileError `InvalidCELExpression` (stall) when one does not parse or a kind has two entries
 * @see https://github.com/fluxcd/flux2/tree/main/rfcs/0009-custom-health-checks
 */
export function compileHealthChecks(checks: readonly HealthCheckExpressions[]): ExpressedHealth {
  const byKind = new Map<string, Compiled>();
  for (const check of checks) {
    const { group } = parseApiVersion(check.apiVersion);
    const key = `${group}/${check.kind ?? ''}`;
    if (byKind.has(key)) {
      throw new ReconcileError(
        'InvalidCELExpression',
        `spec.healthCheckExprs has two entries for ${check.kind ?? 'all kinds'} of ${check.apiVersion}`,
        { outcome: 'stall' },
      );
    }
    byKind.set(key, {
      current: compile(check.current),
      inProgress: check.inProgress ? compile(check.inProgress) : undefined,
      failed: check.failed ? compile(check.failed) : undefined,
    });
  }
  return (object) => {
    const { group } = parseApiVersion(object.apiVersion);
    const check = byKind.get(`${group}/${object.kind}`) ?? byKind.get(`${group}/`);
    return check && expressedHealth(check, object);
  };
}

/**
 * Whether a dependency is ready by the `readyExpr` of the object that depends on it.
 * @throws ReconcileError `InvalidCELExpression`: stall when the expression is wrong, wait when it cannot be evaluated yet
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/#dependency-ready-expression
 */
export function evaluateReady(readyExpr: string, self: KubernetesObject, dep: KubernetesObject): boolean {
  return compile(readyExpr, ['self', 'dep']).evaluateBoolean({ self, dep });
}

function compile(text: string, variables?: readonly string[]): Expression {
  const key = `${variables?.join() ?? ''}\n${text}`;
  const known = compiled.get(key);
  if (known) return known;
  const expression = compileExpression(text, { boolean: true, ...(variables ? { variables } : {}) });
  compiled.set(key, expression);
  return expression;
}

function expressedHealth({ current, inProgress, failed }: Compiled, object: KubernetesObject): Health {
  if (object.metadata.deletionTimestamp) return { status: 'Terminating', message: 'it is being deleted' };
  const { generation } = object.metadata;
  const observed = int(object, 'status', 'observedGeneration');
  if (observed !== undefined && generation !== undefined && observed !== generation) {
    return { status: 'InProgress', message: `generation ${generation} has not been observed yet` };
  }
  try {
    for (const [expression, status] of [
      [inProgress, 'InProgress'],
      [failed, 'Failed'],
      [current, 'Current'],
    ] as const) {
      if (expression?.evaluateBoolean(object)) return { status, message: expression.text };
    }
  } catch (error) {
    return { status: 'Unknown', message: messageOf(error) };
  }
  return { status: 'InProgress', message: `not yet: ${current.text}` };
}
