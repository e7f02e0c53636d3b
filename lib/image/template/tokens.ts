import { TemplateError } from './template-error.ts';

/** A token within an action. */
export interface Token {
  kind: 'field' | 'variable' | 'word' | 'string' | 'number' | 'char' | 'dot' | 'sign';
  /** Names without their dot or dollar; the value of strings and characters. */
  text: string;
  /** Whether white space or the beginning stands before it: `.A .B` is two, `.A.B` one. */
  apart: boolean;
}

/** A template taken apart: plain text and actions, in order. */
export type Part = { text: string } | { action: Token[]; line: number };

/** Splits a template at its actions; `{{-` and `-}}` take the white space around them away. https://pkg.go.dev/text/template#hdr-Text_and_spaces */
export function splitTemplate(template: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let trimNext = false;
  while (at <= template.length) {
    const open = template.indexOf('{{', at);
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    const trims = open >= 0 && /^-[ \t\r\n]/.test(template.slice(open + 2, open + 4));
    if (trims) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') parts.push({ text });
    if (open < 0) break;
    const line = template.slice(0, open).split('\n').length;
    const { action, end, trimsAfter } = readAction(template, open + (trims ? 3 : 2), line);
    if (action) parts.push({ action, line });
    at = end;
    trimNext = trimsAfter;
  }
  return parts;
}

const PATTERNS: readonly [Token['kind'], RegExp][] = [
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['string', /`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)/y,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['variable', /\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?/uy],
  ['word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['sign', /:=|[|(),=]/y],
  ['dot', /\./y],
];

function readAction(
  template: string,
  start: number,
  line: number,
): { action: Token[] | undefined; end: number; trimsAfter: boolean } {
  const comment = /[ \t\r\n]*\/\*[\s\S]*?\*\/([ \t\r\n]+-)?\}\}/y;
  comment.lastIndex = start;
  const found = comment.exec(template);
  if (found) return { action: undefined, end: comment.lastIndex, trimsAfter: found[1] !== undefined };
  const tokens: Token[] = [];
  let at = start;
  let apart = true;
  for (;;) {
    const close = /([ \t\r\n]+-)?\}\}/y;
    close.lastIndex = at;
    const closed = close.exec(template);
    if (closed) return { action: tokens, end: close.lastIndex, trimsAfter: closed[1] !== undefined };
    const space = /[ \t\r\n]+/y;
    space.lastIndex = at;
    if (space.test(template)) {
      at = space.lastIndex;
      apart = true;
      continue;
    }
    const token = readToken(template, at, apart);
    if (!token) {
      const what =
        at >= template.length ? 'an action is not closed' : `unexpected ${JSON.stringify(template[at])}`;
      throw new TemplateError(`line ${line}: ${what}`);
    }
    tokens.push(token.token);
    at = token.end;
    apart = false;
  }
}

function readToken(template: string, at: number, apart: boolean): { token: Token; end: number } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const [match] = pattern.exec(template) ?? [];
    if (match !== undefined)
      return { token: { kind, text: spelled(kind, match), apart }, end: at + match.length };
  }
  return undefined;
}

function spelled(kind: Token['kind'], match: string): string {
  if (kind === 'field' || kind === 'variable') return match.slice(1);
  if (kind === 'string' && match.startsWith('`')) return match.slice(1, -1).replaceAll('\r', '');
  if (kind === 'string' || kind === 'char') return withoutEscapes(match.slice(1, -1));
  return match;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Go's escapes. https://go.dev/ref/spec#Rune_literals */
function withoutEscapes(text: string): string {
  return text.replace(
    /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g,
    (_all, code: string) => {
      if (/^[xuU]./.test(code))
        return String.fromCodePoint(Math.min(Number.parseInt(code.slice(1), 16), 0x10ffff));
      if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
      return ESCAPES[code] ?? code;
    },
  );
}
