import { parseDocument } from 'yaml';
import { type MarkedScalar, type ScalarStyle, valuesOf } from './marked-scalars.ts';

/** A new value for a marked scalar. */
export interface ScalarEdit {
  scalar: Pick<MarkedScalar, 'start' | 'end' | 'style' | 'path'>;
  value: string;
}

/**
 * Writes new values into a YAML text. Nothing but the bytes of those values changes, and they keep their quotes; a plain one gets quotes
 * where it would otherwise be read as something else than text.
 * @throws Error when the result would say anything else than that; the text is then best left alone
 */
export function setScalars(text: string, edits: readonly ScalarEdit[]): string {
  const sorted = edits.toSorted((a, b) => a.scalar.start - b.scalar.start);
  let result = '';
  let at = 0;
  for (const { scalar, value } of sorted) {
    result += text.slice(at, scalar.start) + written(value, scalar.style);
    at = scalar.end;
  }
  result += text.slice(at);
  check(text, result, edits);
  return result;
}

/** Every value must be the new one where one was set, and what it was everywhere else. */
function check(before: string, after: string, edits: readonly ScalarEdit[]): void {
  const wanted = new Map(edits.map(({ scalar, value }) => [scalar.start, value]));
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const right =
    old.length === now.length &&
    old.every((scalar, index) => {
      const next = now[index];
      return next?.value === (wanted.get(scalar.start) ?? scalar.value) && sameKeys(scalar.path, next.path);
    });
  if (!right) throw new Error('setting its marked values would change more than those');
}

/** Item names may be what was set; everything else of a path stays. */
function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a[0] === b[0];
}

function written(value: string, style: ScalarStyle): string {
  switch (style) {
    case 'single':
      return /[\n\r]/.test(value) ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
    case 'double':
      return JSON.stringify(value);
    case 'plain':
      return isPlainText(value) ? value : JSON.stringify(value);
    case 'empty':
      return ` ${written(value, 'plain')}`;
  }
}

/** What an image, a name, a tag or a digest consists of: nothing in it has a meaning in YAML. */
const SAFE = /^[A-Za-z0-9_](?:[A-Za-z0-9._/@+:-]*[A-Za-z0-9_])?$/;

/** Whether every parser, old or new, reads it as text: tags such as `1.10`, `0x1f`, `1e3` or `yes` are something else to some. */
function isPlainText(value: string): boolean {
  if (!SAFE.test(value)) return false;
  return (['1.1', '1.2'] as const).every((version) => {
    const { contents } = parseDocument(value, { version });
    return contents !== null && contents.toJSON() === value;
  });
}
