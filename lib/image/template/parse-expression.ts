import type { Expression, Pipeline } from './syntax.ts';
import { TemplateError } from './template-error.ts';
import type { Token } from './tokens.ts';

/** Nesting that no message needs and that a stack could not bear is refused. */
const MAX_DEPTH = 100;

/** Reads a pipeline: `$x := .A.B | printf "%s"`. @throws TemplateError */
export function parsePipeline(tokens: readonly Token[], line: number): Pipeline {
  const declaration = variablesOf(tokens);
  const reader = { tokens: tokens.slice(declaration.length), at: 0, line, depth: 0 };
  const value = readPipe(reader);
  if (reader.at < reader.tokens.length) throw unexpected(reader);
  return { value, variables: declaration.variables, declares: declaration.declares };
}

interface Reader {
  tokens: readonly Token[];
  at: number;
  line: number;
  depth: number;
}

function variablesOf(tokens: readonly Token[]): { variables: string[]; declares: boolean; length: number } {
  const [first, second, third, fourth] = tokens;
  const isSet = (token: Token | undefined) => token?.kind === 'sign' && /^:?=$/.test(token.text);
  if (first?.kind === 'variable' && isSet(second))
    return { variables: [first.text], declares: second?.text === ':=', length: 2 };
  if (first?.kind === 'variable' && second?.text === ',' && third?.kind === 'variable' && isSet(fourth))
    return { variables: [first.text, third.text], declares: fourth?.text === ':=', length: 4 };
  return { variables: [], declares: false, length: 0 };
}

function readPipe(reader: Reader): Expression {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) throw new TemplateError(`line ${reader.line}: too many parentheses`);
  const stages = [readCommand(reader)];
  while (isSign(reader, '|')) {
    reader.at += 1;
    stages.push(readCommand(reader));
  }
  reader.depth -= 1;
  return stages.length === 1 ? (stages[0] as Expression) : { kind: 'pipe', stages };
}

function readCommand(reader: Reader): Expression {
  const token = reader.tokens[reader.at];
  if (token?.kind === 'word' && !isConstant(token.text)) {
    reader.at += 1;
    const args: Expression[] = [];
    while (startsOperand(reader)) args.push(readOperand(reader));
    return { kind: 'call', name: token.text, args };
  }
  return readOperand(reader);
}

function startsOperand({ tokens, at }: Reader): boolean {
  const token = tokens[at];
  return token !== undefined && (token.kind !== 'sign' || token.text === '(');
}

function readOperand(reader: Reader): Expression {
  let operand = readTerm(reader);
  const names: string[] = [];
  for (;;) {
    const token = reader.tokens[reader.at];
    if (token?.kind !== 'field' || token.apart) break;
    names.push(token.text);
    reader.at += 1;
  }
  if (names.length > 0) operand = { kind: 'fields', of: operand, names };
  return operand;
}

function readTerm(reader: Reader): Expression {
  const token = reader.tokens[reader.at];
  if (!token) throw new TemplateError(`line ${reader.line}: a value is missing`);
  reader.at += 1;
  switch (token.kind) {
    case 'dot':
      return { kind: 'dot' };
    case 'field':
      return { kind: 'fields', of: { kind: 'dot' }, names: [token.text] };
    case 'variable':
      return { kind: 'variable', name: token.text };
    case 'string':
      return { kind: 'literal', value: token.text };
    case 'char':
      return { kind: 'literal', value: token.text.codePointAt(0) ?? 0 };
    case 'number':
      return { kind: 'literal', value: readNumber(token.text, reader.line) };
    case 'word':
      if (isConstant(token.text)) return { kind: 'literal', value: CONSTANTS[token.text] ?? null };
      return { kind: 'call', name: token.text, args: [] };
    case 'sign':
      if (token.text !== '(') throw unexpected({ ...reader, at: reader.at - 1 });
      return readParenthesis(reader);
  }
}

function readParenthesis(reader: Reader): Expression {
  const inside = readPipe(reader);
  if (!isSign(reader, ')')) throw new TemplateError(`line ${reader.line}: a parenthesis is not closed`);
  reader.at += 1;
  return inside;
}

const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

function isConstant(word: string): boolean {
  return Object.hasOwn(CONSTANTS, word);
}

function readNumber(text: string, line: number): number {
  const plain = text.replaceAll('_', '');
  const octal = /^[+-]?0[0-7]+$/.test(plain);
  const value = octal ? Number.parseInt(plain, 8) : Number(plain);
  if (Number.isNaN(value)) throw new TemplateError(`line ${line}: ${text} is no number`);
  return value;
}

function isSign({ tokens, at }: Reader, text: string): boolean {
  return tokens[at]?.kind === 'sign' && tokens[at]?.text === text;
}

function unexpected({ tokens, at, line }: Reader): TemplateError {
  return new TemplateError(`line ${line}: unexpected ${JSON.stringify(tokens[at]?.text ?? 'end')}`);
}
