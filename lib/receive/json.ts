import { PayloadError } from './payload-error.ts';

const MAX_DEPTH = 100;

/**
 * Parses JSON strictly: besides what `JSON.parse` refuses, no nesting over 100 levels, no key twice in an object, no `__proto__`,
 * no lone surrogates. Where two readers could understand a text differently, it is not read at all.
 * @throws PayloadError
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PayloadError('the payload is no valid JSON');
  }
  inspect(text);
  return value;
}

/** Walks over JSON already known to be well-formed. */
function inspect(text: string): void {
  /** The keys seen so far of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      if (open.length > MAX_DEPTH)
        throw new PayloadError(`the payload is nested over ${MAX_DEPTH} levels deep`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const content = decode(text.slice(at, end + 1));
      const keys = open.at(-1);
      if (keys && isKey(text, end + 1)) addKey(keys, content);
      at = end;
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function decode(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  const content = JSON.parse(literal) as string;
  if (!content.isWellFormed())
    throw new PayloadError('the payload holds half a character (a lone surrogate)');
  return content;
}

function isKey(text: string, after: number): boolean {
  let at = after;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

function addKey(keys: Set<string>, key: string): void {
  if (key === '__proto__') throw new PayloadError('the payload holds a key named __proto__');
  if (keys.has(key)) throw new PayloadError('the payload holds a key twice in one object');
  keys.add(key);
}
