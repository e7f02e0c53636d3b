import { type Budget, createBudget } from './budget.ts';
import { type Functions, functions, whyMissing } from './functions.ts';
import type { Expression, Node, Pipeline, Syntax } from './syntax.ts';
import { TemplateError } from './template-error.ts';
import { GoMap, GoStruct, isTrue, show, typeOf, type Value } from './values.ts';

/** Templates that call one another end here. */
const MAX_DEPTH = 50;

interface Scope {
  syntax: Syntax;
  budget: Budget;
  functions: Functions;
  output: string[];
  depth: number;
  /** Variables, innermost last. */
  variables: [string, Value][];
}

/** Ends or goes on with the loop around it. */
type Signal = 'break' | 'continue' | undefined;

/**
 * Carries a template out, within bounds of time and size.
 * @throws TemplateError
 */
export function evaluateTemplate(syntax: Syntax, data: Value): string {
  const budget = createBudget();
  const scope: Scope = {
    syntax,
    budget,
    functions: functions(budget),
    output: [],
    depth: 0,
    variables: [['', data]],
  };
  runNodes(scope, syntax.nodes, data);
  return scope.output.join('');
}

function runNodes(scope: Scope, nodes: readonly Node[], dot: Value): Signal {
  const outer = scope.variables.length;
  try {
    for (const node of nodes) {
      scope.budget.step();
      const signal = runNode(scope, node, dot);
      if (signal) return signal;
    }
    return undefined;
  } finally {
    scope.variables.length = outer;
  }
}

function runNode(scope: Scope, node: Node, dot: Value): Signal {
  switch (node.kind) {
    case 'text':
      print(scope, node.text);
      return undefined;
    case 'break':
    case 'continue':
      return node.kind;
    case 'print': {
      const value = atLine(node.line, () => evaluate(scope, node.pipeline.value, dot));
      if (node.pipeline.variables.length > 0) assign(scope, node.pipeline, [value], node.line);
      else print(scope, show(value));
      return undefined;
    }
    case 'template':
      callTemplate(scope, node, dot);
      return undefined;
    case 'range':
      return runRange(scope, node, dot);
    case 'if':
    case 'with': {
      const outer = scope.variables.length;
      const value = atLine(node.line, () => evaluate(scope, node.pipeline.value, dot));
      if (node.pipeline.variables.length > 0) assign(scope, node.pipeline, [value], node.line);
      const chosen = isTrue(value) ? node.body : node.otherwise;
      const signal = runNodes(scope, chosen, node.kind === 'with' && isTrue(value) ? value : dot);
      scope.variables.length = outer;
      return signal;
    }
  }
}

function runRange(scope: Scope, node: Extract<Node, { kind: 'range' | 'if' | 'with' }>, dot: Value): Signal {
  const list = atLine(node.line, () => entriesOf(evaluate(scope, node.pipeline.value, dot)));
  if (list.length === 0) return runNodes(scope, node.otherwise, dot);
  const outer = scope.variables.length;
  for (const [key, item] of list) {
    const values = node.pipeline.variables.length === 2 ? [key, item] : [item];
    if (node.pipeline.variables.length > 0) assign(scope, node.pipeline, values, node.line);
    const signal = runNodes(scope, node.body, item);
    if (node.pipeline.declares) scope.variables.length = outer;
    if (signal === 'break') break;
  }
  scope.variables.length = outer;
  return undefined;
}

function entriesOf(value: Value): [Value, Value][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (value instanceof GoMap) return value.sorted();
  if (typeof value === 'number' && Number.isInteger(value) && value <= 10_000)
    return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
  throw new TemplateError(`range can't iterate over ${show(value)}`);
}

function assign(
  scope: Scope,
  { variables, declares }: Pipeline,
  values: readonly Value[],
  line: number,
): void {
  for (const [index, name] of variables.entries()) {
    const value = values[index];
    const known = declares ? undefined : scope.variables.findLast(([one]) => one === name);
    if (known) known[1] = value;
    else if (declares) scope.variables.push([name, value]);
    else throw new TemplateError(`line ${line}: undefined variable $${name}`);
  }
}

function callTemplate(scope: Scope, node: Extract<Node, { kind: 'template' }>, dot: Value): void {
  const nodes = scope.syntax.defined.get(node.name);
  if (!nodes) throw new TemplateError(`line ${node.line}: there is no template ${JSON.stringify(node.name)}`);
  if (scope.depth >= MAX_DEPTH)
    throw new TemplateError(`line ${node.line}: templates call one another without end`);
  const { argument } = node;
  const data = argument ? atLine(node.line, () => evaluate(scope, argument, dot)) : null;
  runNodes({ ...scope, depth: scope.depth + 1, variables: [['', data]] }, nodes, data);
}

function evaluate(scope: Scope, expression: Expression, dot: Value, piped?: { value: Value }): Value {
  scope.budget.step();
  if (piped && expression.kind !== 'call')
    throw new TemplateError('a value can only be piped into a function');
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'dot':
      return dot;
    case 'variable': {
      const found = scope.variables.findLast(([name]) => name === expression.name);
      if (!found) throw new TemplateError(`undefined variable $${expression.name}`);
      return found[1];
    }
    case 'fields':
      return expression.names.reduce<Value>(field, evaluate(scope, expression.of, dot));
    case 'pipe': {
      let value: { value: Value } | undefined;
      for (const stage of expression.stages) value = { value: evaluate(scope, stage, dot, value) };
      return value?.value;
    }
    case 'call':
      return call(scope, expression, dot, piped);
  }
}

function call(
  scope: Scope,
  { name, args }: Extract<Expression, { kind: 'call' }>,
  dot: Value,
  piped: { value: Value } | undefined,
): Value {
  if (name === 'and' || name === 'or') {
    // Arguments after the one that decides are not looked at.
    let value: Value;
    for (const one of [
      ...args.map((arg) => () => evaluate(scope, arg, dot)),
      ...(piped ? [() => piped.value] : []),
    ]) {
      value = one();
      if (isTrue(value) === (name === 'or')) return value;
    }
    return value;
  }
  const made = Object.hasOwn(scope.functions, name) ? scope.functions[name] : undefined;
  if (!made) throw new TemplateError(`the function ${JSON.stringify(name)} ${whyMissing(name)}`);
  const values = [...args.map((arg) => evaluate(scope, arg, dot)), ...(piped ? [piped.value] : [])];
  const result = made(...values);
  if (typeof result === 'string') scope.budget.text(result.length);
  return result;
}

function field(value: Value, name: string): Value {
  if (value instanceof GoStruct) return value.get(name);
  if (value instanceof GoMap) return value.get(name);
  if (value === null || value === undefined) throw new TemplateError(`nil has no field ${name}`);
  throw new TemplateError(`can't evaluate field ${name} in type ${typeOf(value)}`);
}

function print(scope: Scope, text: string): void {
  scope.budget.text(text.length);
  scope.output.push(text);
}

/** Says where an error was. */
function atLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError) || error.message.startsWith('line ')) throw error;
    throw new TemplateError(`line ${line}: ${error.message}`, error.missingField);
  }
}
