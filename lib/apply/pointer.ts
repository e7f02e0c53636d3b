/** A JSON value that is a map. */
export type JsonMap = Record<string, unknown>;

/** Whether a JSON value is a map. */
export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The segments of a JSON pointer. https://www.rfc-editor.org/rfc/rfc6901
 * @returns undefined when the text is not a pointer to a member
 */
export function parsePointer(pointer: string): string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One segment as it stands in a JSON pointer. */
export function escapeSegment(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = /^(0|[1-9][0-9]*)$/.test(segment) ? value[Number(segment)] : undefined;
    else if (isMap(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return value;
}

/** A copy of `root` with the value at `path` replaced, or removed when `next` is undefined. A missing parent changes nothing. */
export function withValueAt<T>(root: T, path: readonly string[], next: unknown): T {
  const [segment, ...rest] = path;
  if (segment === undefined) return next as T;
  if (Array.isArray(root)) {
    const index = /^(0|[1-9][0-9]*)$/.test(segment) ? Number(segment) : -1;
    if (index < 0 || index >= root.length) return root;
    if (rest.length === 0 && next === undefined) return root.toSpliced(index, 1) as T;
    return root.with(index, withValueAt(root[index], rest, next)) as T;
  }
  if (!isMap(root)) return root;
  if (rest.length > 0) {
    if (!Object.hasOwn(root, segment)) return root;
    return { ...root, [segment]: withValueAt(root[segment], rest, next) };
  }
  const { [segment]: _removed, ...others } = root as JsonMap;
  return (next === undefined ? others : { ...root, [segment]: next }) as T;
}
