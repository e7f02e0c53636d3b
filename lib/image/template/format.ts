import { GoMap, GoStruct, show, typeOf, type Value } from './values.ts';

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\d+))?([a-zA-Z%])/g;
/** Padding wider than this is cut. */
const MAX_WIDTH = 10_000;

/** Go's `fmt.Sprintf`, as far as texts, numbers and lists go. https://pkg.go.dev/fmt */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (_all, flags: string, width: string | undefined, precision, verb: string) => {
      if (verb === '%') return '%';
      const wanted = width === '*' ? Number(args[next++]) : Number(width ?? 0);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      const shown = formatOne(verb, flags, precision === undefined ? undefined : Number(precision), value);
      return pad(shown, Math.min(wanted || 0, MAX_WIDTH), flags, typeof value === 'number');
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((value) => `${typeOf(value)}=${show(value, true)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatOne(verb: string, flags: string, precision: number | undefined, value: Value): string {
  const isNumber = typeof value === 'number';
  switch (verb) {
    case 'v':
      return flags.includes('+') && isNumber && value >= 0 ? `+${value}` : show(value, true);
    case 's':
      if (isNumber || typeof value === 'boolean') break;
      return cut(show(value, true), precision);
    case 'q':
      if (Array.isArray(value))
        return `[${value.map((item) => formatOne('q', flags, precision, item)).join(' ')}]`;
      return typeof value === 'string' ? JSON.stringify(value) : `%!q(${typeOf(value)}=${show(value, true)})`;
    case 'd':
      if (!isNumber || !Number.isInteger(value)) break;
      return flags.includes('+') && value >= 0 ? `+${value}` : String(value);
    case 'x':
    case 'X': {
      if (typeof value !== 'string' && !isNumber) break;
      const hex = isNumber ? value.toString(16) : Buffer.from(value).toString('hex');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'f':
      if (!isNumber) break;
      return value.toFixed(Math.min(precision ?? 6, 100));
    case 't':
      if (typeof value !== 'boolean') break;
      return String(value);
    case 'T':
      return typeOf(value);
  }
  return `%!${verb}(${typeOf(value)}=${show(value, true)})`;
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function pad(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

/** Go's `fmt.Sprint`: a space only between two values that are no texts. */
export function sprint(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const before = args[index - 1];
      const apart = index > 0 && typeof value !== 'string' && typeof before !== 'string';
      return `${apart ? ' ' : ''}${show(value, true)}`;
    })
    .join('');
}

/** Go's `fmt.Sprintln`. */
export function sprintln(args: readonly Value[]): string {
  return `${args.map((value) => show(value, true)).join(' ')}\n`;
}

/** A value as JSON text. @param indent for `toPrettyJson` */
export function toJson(value: Value, indent?: number): string {
  return JSON.stringify(plain(value), undefined, indent) ?? 'null';
}

function plain(value: Value): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof GoMap)
    return Object.fromEntries(value.sorted().map(([key, item]) => [show(key, true), plain(item)]));
  if (value instanceof GoStruct)
    return Object.fromEntries([...value.fields].map(([key, item]) => [key, plain(item)]));
  return value ?? null;
}
