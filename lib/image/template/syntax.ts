import type { Value } from './values.ts';

/** An operand, a function call with its arguments, or a chain of fields on one of them. */
export type Expression =
  | { kind: 'literal'; value: Value }
  | { kind: 'dot' }
  | { kind: 'variable'; name: string }
  | { kind: 'fields'; of: Expression; names: string[] }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'pipe'; stages: Expression[] };

/** A pipeline, with the variables that it sets. */
export interface Pipeline {
  value: Expression;
  /** One or, in a range, two. */
  variables: string[];
  /** `:=` makes new ones, `=` changes those that are there. */
  declares: boolean;
}

/** A node of a template. */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline; line: number }
  | { kind: 'if' | 'with' | 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[]; line: number }
  | { kind: 'break' | 'continue' }
  | { kind: 'template'; name: string; argument: Expression | undefined; line: number };

/** A parsed template: its own nodes and those it defines. */
export interface Syntax {
  nodes: Node[];
  defined: Map<string, Node[]>;
}
