import type { Document } from 'yaml';
import { type CST, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { findMarkers, type Marker } from './marker.ts';
import { identityAt, type ObjectIdentity } from './object-identity.ts';

/** How a scalar is written. `empty`: nothing stands there at all. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'empty';

/** A value in a YAML text that a marker belongs to. */
export interface MarkedScalar {
  setter: string;
  /** What of the text is the scalar, quotes included, in UTF-16 units. */
  start: number;
  end: number;
  style: ScalarStyle;
  /** What it says. */
  value: string;
  object: ObjectIdentity;
  /** Where it is: number of the document, then keys, and names or numbers of list items. */
  path: readonly string[];
  line: number;
}

/** What a YAML text marks. */
export interface Marked {
  scalars: MarkedScalar[];
  /** Markers that belong to no value that could be changed, and why. */
  misplaced: { setter: string; line: number; why: string }[];
}

type Scalar = Omit<MarkedScalar, 'setter' | 'line'>;

/**
 * Finds the values that markers belong to: one on the same line before the marker, or one right below a marker that stands alone.
 * @throws Error when the text is not valid YAML
 */
export function findMarked(text: string): Marked {
  const scalars = valuesOf(text);
  const marked: Marked = { scalars: [], misplaced: [] };
  for (const marker of findMarkers(text)) {
    const line = lineOf(text, marker.start);
    const scalar = scalars.find((one) => isMarkedBy(text, one, marker));
    if (scalar) marked.scalars.push({ ...scalar, setter: marker.setter, line });
    else marked.misplaced.push({ setter: marker.setter, line, why: whyNot(text, marker) });
  }
  return marked;
}

/** All values of the text that stand there as plain or quoted scalars, and missing ones. @throws Error for broken YAML */
export function valuesOf(text: string): Scalar[] {
  const documents = parseAllDocuments(text, {
    keepSourceTokens: true,
    uniqueKeys: false,
    prettyErrors: true,
  });
  const found: Scalar[] = [];
  if (!Array.isArray(documents)) return found;
  for (const [index, document] of documents.entries()) {
    const [error] = document.errors;
    if (error) throw new Error(error.message.split('\n', 1)[0]?.replace(/:$/, ''));
    collect(document, document.contents, [String(index)], [], found);
  }
  return found;
}

function collect(
  document: Document,
  node: unknown,
  path: readonly string[],
  keys: readonly (string | number)[],
  found: Scalar[],
): void {
  if (isMap(node)) {
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '?';
      const missing = positionOfMissing(pair.value, pair.srcToken);
      const below = [...path, key];
      if (missing !== undefined)
        found.push({ ...missing, value: '', path: below, object: identityAt(document, keys) });
      else collect(document, pair.value, below, [...keys, key], found);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const name = isMap(item) ? item.get('name') : undefined;
      const step = typeof name === 'string' ? name : String(index);
      collect(document, item, [...path, step], [...keys, index], found);
    }
  } else if (isScalar(node)) {
    const style = STYLES[node.srcToken?.type ?? ''];
    if (style === undefined || !node.srcToken || !('source' in node.srcToken)) return;
    const { offset, source } = node.srcToken;
    const value = typeof node.value === 'string' ? node.value : (node.source ?? source);
    const object = identityAt(document, keys);
    found.push({ start: offset, end: offset + source.length, style, value, path, object });
  }
}

const STYLES: Readonly<Record<string, ScalarStyle>> = {
  scalar: 'plain',
  'single-quoted-scalar': 'single',
  'double-quoted-scalar': 'double',
};

/** Right after the colon of a key without a value. */
function positionOfMissing(
  value: unknown,
  pair: CST.CollectionItem | undefined,
): Pick<Scalar, 'start' | 'end' | 'style'> | undefined {
  if (!pair || pair.value || !(value === null || (isScalar(value) && value.value === null))) return undefined;
  const colon = pair.sep?.find(({ type }) => type === 'map-value-ind');
  const onlySpace = pair.sep?.every(({ type }) => PLAIN_PARTS.has(type)) === true;
  if (!colon || !onlySpace) return undefined;
  const at = colon.offset + 1;
  return { start: at, end: at, style: 'empty' };
}

/** No anchor or tag: those would have to stay before the value. */
const PLAIN_PARTS: ReadonlySet<string> = new Set(['map-value-ind', 'space', 'comment', 'newline']);

function isMarkedBy(text: string, { start, end }: Scalar, marker: Marker): boolean {
  if (end <= marker.start) return /^[ \t]*,?[ \t]*$/.test(text.slice(end, marker.start));
  if (start < marker.end) return false;
  const before = text.slice(text.lastIndexOf('\n', marker.start - 1) + 1, marker.start);
  const alone = /^\ufeff?[ \t]*(-[ \t]+)*$/.test(before) || /[:?-][ \t]+$/.test(before);
  return alone && /^\r?\n[ \t]*(-[ \t]+)*$/.test(text.slice(marker.end, start));
}

function whyNot(text: string, marker: Marker): string {
  const before = text.slice(text.lastIndexOf('\n', marker.start - 1) + 1, marker.start);
  if (/[|>][-+0-9]*[ \t]*$/.test(before))
    return 'a value of several lines cannot be set; write it on one line';
  if (/\*[^ \t]+[ \t]*$/.test(before)) return 'the value is an alias; mark the place it refers to';
  return 'there is no single value before it on its line';
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
