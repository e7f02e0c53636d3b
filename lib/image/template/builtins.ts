import { listOf, type TemplateFunction, textOf } from './arguments.ts';
import { sprint, sprintf, sprintln } from './format.ts';
import { TemplateError } from './template-error.ts';
import { compareText, GoMap, isTrue, show, typeOf, type Value } from './values.ts';

/** The functions of Go's template language itself; `and` and `or` belong to the evaluation. https://pkg.go.dev/text/template#hdr-Functions */
export const builtins: Readonly<Record<string, TemplateFunction>> = {
  print: (...args) => sprint(args),
  printf: (format, ...args) => sprintf(textOf(format), args),
  println: (...args) => sprintln(args),
  not: (value) => !isTrue(value),
  len: (value) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.length;
    if (value instanceof GoMap) return value.size;
    throw new TemplateError(`len of type ${typeOf(value)}`);
  },
  index: (value, ...keys) => keys.reduce<Value>(at, value),
  slice: (value, from, to) => {
    const length = typeof value === 'string' ? Buffer.byteLength(value) : listOf(value).length;
    const [start, end] = [from ?? 0, to ?? length];
    if (typeof start !== 'number' || typeof end !== 'number' || start < 0 || end > length || start > end)
      throw new TemplateError(`slice is out of range: ${show(from)} to ${show(to)} of ${length}`);
    if (typeof value === 'string') return Buffer.from(value).subarray(start, end).toString('utf8');
    return listOf(value).slice(start, end);
  },
  eq: (first, ...others) => {
    if (others.length === 0) throw new TemplateError('eq needs two values');
    return others.some((other) => isEqual(first, other));
  },
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  html: (...args) => escapeHtml(sprint(args)),
  js: (...args) =>
    JSON.stringify(sprint(args))
      .slice(1, -1)
      .replace(/[<>&=']/g, hexEscape),
  urlquery: (...args) =>
    encodeURIComponent(sprint(args))
      .replace(/[!'()*]/g, percentEscape)
      .replaceAll('%20', '+'),
};

function at(value: Value, key: Value): Value {
  if (value instanceof GoMap) return value.get(key) ?? '';
  const list = typeof value === 'string' ? [...Buffer.from(value)] : listOf(value);
  if (typeof key === 'number' && Number.isInteger(key) && key >= 0 && key < list.length) return list[key];
  throw new TemplateError(`index out of range: ${show(key, true)}`);
}

function isEqual(a: Value, b: Value): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a !== typeof b) throw new TemplateError(`${typeOf(a)} and ${typeOf(b)} cannot be compared`);
  if (typeof a === 'object' || typeof b === 'object') return show(a) === show(b);
  return a === b;
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  throw new TemplateError(`${typeOf(a)} and ${typeOf(b)} cannot be compared`);
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] ?? '');
}

function hexEscape(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function percentEscape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
