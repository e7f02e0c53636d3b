import { FUNCTIONS } from '../../../functions/aws/environment.ts';
import type { Meter } from '../../support/metered-table.ts';

/** A function of the stacks. */
export type FunctionName = keyof typeof FUNCTIONS;

/** What was asked of AWS, and of what stands outside of it. */
export interface Counted {
  /** How often each function was invoked, and for how long in all, in ms. */
  functions: Record<FunctionName, { invocations: number; ms: number }>;
  /** Requests to FIFO queues, and to standard ones: those of the functions, and those of Lambda that brought or removed a message. */
  sqsFifo: number;
  sqsStandard: number;
  /** In DynamoDB's units. */
  table: Meter;
  s3Writes: number;
  s3Reads: number;
  secretReads: number;
  /** What the functions logged, in bytes. */
  logBytes: number;
  /** Nobody pays AWS for these. */
  kubernetes: number;
  git: number;
}

/** Nothing was asked yet. */
export function noneCounted(): Counted {
  const names = Object.keys(FUNCTIONS) as FunctionName[];
  return {
    functions: Object.fromEntries(
      names.map((name) => [name, { invocations: 0, ms: 0 }]),
    ) as Counted['functions'],
    sqsFifo: 0,
    sqsStandard: 0,
    table: { reads: 0, writes: 0 },
    s3Writes: 0,
    s3Reads: 0,
    secretReads: 0,
    logBytes: 0,
    kubernetes: 0,
    git: 0,
  };
}

/** Works out each figure of some counts from the same figure of several others. */
export function combine<T extends object>(counts: readonly T[], work: (...figures: number[]) => number): T {
  const [first] = counts;
  const entries = Object.keys(first ?? {}).map((name) => {
    const figures = counts.map((each) => each[name as keyof T]);
    return [
      name,
      typeof figures[0] === 'number' ? work(...(figures as number[])) : combine(figures as object[], work),
    ];
  });
  return Object.fromEntries(entries) as T;
}
