import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';

/**
 * Where in the text a path of keys and indexes stands: at its value or, when the key itself is at fault (`key`), at the key. A
 * part that is missing is reported where its parent is named.
 * @returns an offset in the text
 */
export function locate(document: Document, path: readonly (string | number)[], key: boolean): number {
  let node: Node | undefined = document.contents ?? undefined;
  let offset = startOf(node);
  for (const [depth, step] of path.entries()) {
    const target: Node | undefined = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair = target.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair) return offset;
      const keyOffset = startOf(isNode(pair.key) ? pair.key : undefined);
      node = isNode(pair.value) ? pair.value : undefined;
      const last = depth === path.length - 1;
      const simple = isScalar(node) && node.range !== undefined && node.range !== null;
      offset = last && simple && !key && node ? startOf(node) : keyOffset;
    } else if (isSeq(target)) {
      const item: unknown = target.items[Number(step)];
      if (!isNode(item)) return offset;
      node = item;
      offset = startOf(item);
    } else return offset;
  }
  return offset;
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}
