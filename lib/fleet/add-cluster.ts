import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import type { FleetCluster } from './cluster.ts';
import { loadFleet } from './load-fleet.ts';

/** A cluster as it is written in the file: defaults may be left out. */
export type ClusterEntry = z.input<typeof FleetCluster>;

/**
 * Adds a cluster to a fleet file, after the others. Where possible the text is only added to, so that comments and layout stay to
 * the byte; a file in an unusual form (such as a list of clusters in brackets) is laid out anew, keeping its comments.
 * @param text the file before
 * @param options `path`: where it lies, for errors
 * @returns the file after
 * @throws FleetError when the file is not valid before or after, for example because the name is taken
 */
export function addCluster(text: string, cluster: ClusterEntry, options: { path: string }): string {
  loadFleet(text, options);
  const document = parseDocument(text);
  const clusters = (document.toJS() as { clusters?: ClusterEntry[] | null } | null)?.clusters ?? [];
  const wanted = { ...(document.toJS() as object), clusters: [...clusters, cluster] };
  const inserted = insert(text, document, cluster);
  const result =
    inserted !== undefined && isDeepStrictEqual(parse(inserted), wanted)
      ? inserted
      : rebuild(document, cluster);
  loadFleet(result, options);
  return result;
}

function parse(text: string): unknown {
  const document = parseDocument(text);
  return document.errors.length > 0 ? undefined : document.toJS();
}

function insert(text: string, document: Document, cluster: ClusterEntry): string | undefined {
  const { contents } = document;
  if (contents === null) return splice(text, text.length, `clusters:\n${entryText(cluster, 2)}`);
  if (!isMap(contents) || contents.flow) return undefined;
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === 'clusters');
  if (!pair) return splice(text, text.length, `clusters:\n${entryText(cluster, 2)}`);
  return insertAt(text, pair, cluster);
}

function insertAt(text: string, { key, value }: Pair, cluster: ClusterEntry): string | undefined {
  if (isScalar(value) && value.value === null && isScalar(key) && key.range)
    return splice(text, lineEnd(text, key.range[1]), entryText(cluster, 2));
  if (!isSeq(value) || !value.range) return undefined;
  const [start, end] = value.range;
  if (value.flow) {
    if (value.items.length > 0) return undefined;
    const without = text.slice(0, start).trimEnd() + text.slice(end);
    return splice(without, lineEnd(without, text.slice(0, start).trimEnd().length), entryText(cluster, 2));
  }
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  return splice(text, endOfEntry(text, lastContent(value), column), entryText(cluster, column));
}

/** Where the last value in a collection ends, without the comments and blank lines that follow. */
function lastContent(node: unknown): number {
  if (isSeq(node) && !node.flow && node.items.length > 0) return lastContent(node.items.at(-1));
  if (isMap(node) && !node.flow) {
    const pair = node.items.at(-1);
    if (pair) return lastContent(pair.value ?? pair.key);
  }
  return (node as { range?: [number, number, number] | null } | null)?.range?.[1] ?? 0;
}

/** The end of the line at `offset`, and of the comments below it that stand further in than the dash of the entry. */
function endOfEntry(text: string, offset: number, column: number): number {
  let end = text[offset - 1] === '\n' ? offset - 1 : lineEnd(text, offset);
  for (;;) {
    const comment = /^\r?\n([ ]*)#/.exec(text.slice(end, end + 500));
    if (!comment || (comment[1] ?? '').length <= column) return end;
    end = lineEnd(text, end + comment[0].length);
  }
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  if (end < 0) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

function entryText(cluster: ClusterEntry, column: number): string {
  const lines = stringify([cluster], { lineWidth: 0 }).trimEnd().split('\n');
  return lines.map((line) => ' '.repeat(column) + line).join('\n');
}

/** Puts lines after the one that ends at `end`, with the line breaks of the text. */
function splice(text: string, end: number, lines: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text.slice(0, end);
  const after = text.slice(end);
  const gap = before === '' || before.endsWith('\n') ? '' : newline;
  return `${before}${gap}${lines.replaceAll('\n', newline)}${after === '' ? newline : after}`;
}

function rebuild(document: Document, cluster: ClusterEntry): string {
  const clusters = document.get('clusters');
  if (isSeq(clusters)) {
    clusters.flow = false;
    clusters.add(document.createNode(cluster));
  } else {
    // What stood there was an alias; its comments go to the list in its place.
    const list = document.createNode([cluster]);
    const { comment, commentBefore } = (document.get('clusters', true) ?? {}) as Partial<Node>;
    const notes = [commentBefore, comment].filter((note) => note !== undefined && note !== null);
    if (notes.length > 0) list.commentBefore = notes.join('\n');
    document.set('clusters', list);
  }
  return document.toString({ lineWidth: 0 });
}
