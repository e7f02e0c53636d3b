import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../core/object.ts';
import { CLIENT_ANNOTATIONS, isForeign, ownsPath } from './managed-fields.ts';
import { isMap, type JsonMap, valueAt, withValueAt } from './pointer.ts';

/**
 * What an apply makes of an object once the fields of kubectl are taken over. A dry-run cannot show that, since it does not know of
 * the take-over: fields that only kubectl owned and the manifest lacks still stand in it. They are removed here (where the server
 * has a default for one, it will have that).
 * @param live as it is
 * @param dryRun what the server says an apply would make of it
 */
export function afterTakeOver(
  live: KubernetesObject,
  dryRun: KubernetesObject,
  fieldManager: string,
  takeOver: readonly string[] = [],
): KubernetesObject {
  const entries = live.metadata.managedFields ?? [];
  const foreign = entries.filter((entry) => isForeign(entry, fieldManager, takeOver));
  const keeping = (dryRun.metadata.managedFields ?? []).filter(
    (entry) => !isForeign(entry, fieldManager, takeOver),
  );
  const kept = (path: readonly string[]) =>
    keeping.some((entry) => ownsPath(entry.fieldsV1 ?? {}, live, path));
  const orphaned = foreign.flatMap((entry) => orphans(entry.fieldsV1 ?? {}, live, kept));
  const annotations = CLIENT_ANNOTATIONS.map((key) => ['metadata', 'annotations', key]);
  // Later items of a list first, so that the places of earlier ones stay right.
  return [...orphaned.toReversed(), ...annotations].reduce(
    (object, path) => removeSame(object, live, path),
    dryRun,
  );
}

/** Removes a value that still stands where it stood; lists may have been put together anew. */
function removeSame(
  object: KubernetesObject,
  live: KubernetesObject,
  path: readonly string[],
): KubernetesObject {
  if (!isDeepStrictEqual(valueAt(object, path), valueAt(live, path))) return object;
  const result = withValueAt(object, path, undefined);
  const parent = path.slice(0, -1);
  const left = valueAt(result, parent);
  const emptied = isMap(left) && Object.keys(left).length === 0 && parent.length > 1;
  return emptied ? withValueAt(result, parent, undefined) : result;
}

/** The paths of a live object that a `fieldsV1` trie names and nobody keeps: leaves, and list items as a whole. */
function orphans(
  fields: JsonMap,
  value: unknown,
  kept: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): string[][] {
  return Object.entries(fields).flatMap(([key, child]) => {
    const segment = segmentOf(key, value);
    if (segment === undefined || !isMap(child)) return [];
    const next = [...path, segment];
    const leaf = Object.keys(child).length === 0;
    if (leaf || Object.hasOwn(child, '.')) {
      if (!kept(next)) return [next];
      if (leaf) return [];
    }
    return orphans(child, valueAt(value, [segment]), kept, next);
  });
}

function segmentOf(key: string, value: unknown): string | undefined {
  if (key.startsWith('f:')) return key.slice(2);
  if (!Array.isArray(value)) return undefined;
  const index = value.findIndex((_item, position) => ownsPath({ [key]: {} }, value, [String(position)]));
  return index < 0 ? undefined : String(index);
}
