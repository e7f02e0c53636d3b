import { parsePipeline } from './parse-expression.ts';
import type { Node, Syntax } from './syntax.ts';
import { TemplateError } from './template-error.ts';
import { type Part, splitTemplate, type Token } from './tokens.ts';

/** Blocks within blocks; far more than any message has. */
const MAX_DEPTH = 100;

/** Parses a template. @throws TemplateError with the line */
export function parseTemplate(template: string): Syntax {
  const reader: Reader = { parts: splitTemplate(template), at: 0, defined: new Map(), depth: 0, loops: 0 };
  const { nodes, end } = readNodes(reader);
  if (end) throw new TemplateError(`line ${end.line}: unexpected {{${end.word}}}`);
  return { nodes, defined: reader.defined };
}

interface Reader {
  parts: readonly Part[];
  at: number;
  defined: Map<string, Node[]>;
  depth: number;
  loops: number;
}

/** What ended a list of nodes: `end`, or `else` with the rest of its action. */
interface End {
  word: 'end' | 'else';
  rest: Token[];
  line: number;
}

function readNodes(reader: Reader): { nodes: Node[]; end: End | undefined } {
  const nodes: Node[] = [];
  for (;;) {
    const part = reader.parts[reader.at];
    if (!part) return { nodes, end: undefined };
    reader.at += 1;
    if ('text' in part) {
      nodes.push({ kind: 'text', text: part.text });
      continue;
    }
    const { action, line } = part;
    const [first, ...rest] = action;
    const word = first?.kind === 'word' ? first.text : '';
    if (word === 'end' || word === 'else') return { nodes, end: { word, rest, line } };
    const node = readNode(reader, word, rest, action, line);
    if (node) nodes.push(node);
  }
}

function readNode(
  reader: Reader,
  word: string,
  rest: Token[],
  action: Token[],
  line: number,
): Node | undefined {
  switch (word) {
    case 'if':
    case 'with':
    case 'range':
      return readBlock(reader, word, rest, line);
    case 'break':
    case 'continue':
      if (reader.loops === 0) throw new TemplateError(`line ${line}: {{${word}}} outside {{range}}`);
      return { kind: word };
    case 'define':
      reader.defined.set(nameOf(rest, line), readBody(reader, line).nodes);
      return undefined;
    case 'block': {
      const name = nameOf(rest, line);
      reader.defined.set(name, readBody(reader, line).nodes);
      return { kind: 'template', name, argument: argumentOf(rest, line), line };
    }
    case 'template':
      return { kind: 'template', name: nameOf(rest, line), argument: argumentOf(rest, line), line };
    default:
      return { kind: 'print', pipeline: parsePipeline(action, line), line };
  }
}

function readBlock(reader: Reader, kind: 'if' | 'with' | 'range', rest: Token[], line: number): Node {
  const pipeline = parsePipeline(rest, line);
  if (pipeline.variables.length > (kind === 'range' ? 2 : 1))
    throw new TemplateError(`line ${line}: too many variables in {{${kind}}}`);
  if (kind === 'range') reader.loops += 1;
  const { nodes: body, end } = readBody(reader, line, true);
  if (kind === 'range') reader.loops -= 1;
  if (end.word === 'end') return { kind, pipeline, body, otherwise: [], line };
  const [next, ...condition] = end.rest;
  // `{{else if …}}` is an if within the else, ended by the same end.
  if (next?.kind === 'word' && (next.text === 'if' || next.text === 'with'))
    return { kind, pipeline, body, otherwise: [readBlock(reader, next.text, condition, end.line)], line };
  if (next) throw new TemplateError(`line ${end.line}: unexpected ${JSON.stringify(next.text)} after else`);
  return { kind, pipeline, body, otherwise: readBody(reader, end.line).nodes, line };
}

function readBody(reader: Reader, line: number, allowElse = false): { nodes: Node[]; end: End } {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) throw new TemplateError(`line ${line}: blocks are nested too deeply`);
  const { nodes, end } = readNodes(reader);
  reader.depth -= 1;
  if (!end) throw new TemplateError(`line ${line}: a block is not ended with {{end}}`);
  if (end.word === 'else' && !allowElse) throw new TemplateError(`line ${end.line}: unexpected {{else}}`);
  return { nodes, end };
}

function nameOf([name]: Token[], line: number): string {
  if (name?.kind === 'string') return name.text;
  throw new TemplateError(`line ${line}: the name of a template is missing`);
}

function argumentOf([, ...rest]: Token[], line: number) {
  return rest.length === 0 ? undefined : parsePipeline(rest, line).value;
}
