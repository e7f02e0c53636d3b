import type { KubernetesObject, ManagedFieldsEntry, ObjectRef } from '../../lib/core/object.ts';
import { describe, identityOf, refOf } from '../../lib/core/object.ts';
import type { DeleteOptions } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { fieldsOf, leavesOf, ownedBy, setLeaf } from './fields.ts';

/** A write that took effect. */
export interface Effect {
  before: KubernetesObject | undefined;
  /** Undefined: it is gone. */
  after: KubernetesObject | undefined;
}

/**
 * An API server: uid, resourceVersion and generation, refusals with 404 and 409, server-side apply by leaves, the status subresource,
 * finalizers. As observed on a real one: a stale resourceVersion is refused on an object that exists and creates one that does not; a uid
 * is refused in both cases.
 */
export class Api {
  /** JSON by identity. */
  readonly #objects: Map<string, string>;
  #versions: number;
  /** Called after each write that changed something. */
  onEffect: ((effect: Effect) => void) | undefined;

  constructor(from?: Api) {
    this.#objects = new Map(from ? from.#objects : []);
    this.#versions = from ? from.#versions : 100;
  }

  get(ref: Omit<ObjectRef, 'version'>): KubernetesObject | undefined {
    const text = this.#objects.get(identityOf(ref));
    return text === undefined ? undefined : (JSON.parse(text) as KubernetesObject);
  }

  list(group: string, kind: string): KubernetesObject[] {
    const prefix = `${group}/${kind}/`;
    return [...this.#objects]
      .filter(([identity]) => identity.startsWith(prefix))
      .map(([, text]) => JSON.parse(text) as KubernetesObject);
  }

  apply(object: KubernetesObject, manager: string, dryRun: boolean): KubernetesObject {
    const live = this.get(refOf(object));
    const { uid, resourceVersion } = object.metadata;
    if (uid !== undefined && uid !== live?.metadata.uid) throw conflict(object);
    if (live && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw conflict(object);
    const next = live ?? blank(object);
    const entries = next.metadata.managedFields ?? [];
    const isOwn = (entry: ManagedFieldsEntry) => entry.manager === manager && entry.operation === 'Apply';
    const wanted = leavesOf(object);
    const others = new Set(entries.filter((entry) => !isOwn(entry)).flatMap((entry) => [...ownedBy(entry)]));
    for (const path of ownedBy(entries.find(isOwn)))
      if (!wanted.has(path) && !others.has(path)) setLeaf(next, path, undefined);
    const before = leavesOf(next);
    for (const [path, value] of wanted) setLeaf(next, path, value);
    // Whoever is forced out of a field loses it; one who wants the same shares it.
    const lost = new Set(
      [...wanted].filter(([path, value]) => !same(before.get(path), value)).map(([path]) => path),
    );
    next.metadata.managedFields = [
      ...entries
        .filter((entry) => !isOwn(entry))
        .map((entry) =>
          entry.subresource
            ? entry
            : { ...entry, fieldsV1: fieldsOf([...ownedBy(entry)].filter((path) => !lost.has(path))) },
        )
        .filter((entry) => Object.keys(entry.fieldsV1 ?? {}).length > 0),
      entryOf(object, manager, 'Apply', wanted.keys()),
    ];
    return this.#store(live && this.get(refOf(object)), next, dryRun);
  }

  create(object: KubernetesObject): KubernetesObject {
    if (this.get(refOf(object))) throw refusal(409, 'AlreadyExists', object, 'already exists');
    const { namespace } = object.metadata;
    if (namespace && !this.get({ group: '', kind: 'Namespace', namespace: '', name: namespace }))
      throw refusal(404, 'NotFound', object, `namespaces "${namespace}" not found`);
    return this.#store(undefined, { ...object, metadata: { ...object.metadata } }, false);
  }

  /** Replaces an object, or its status alone. */
  update(object: KubernetesObject, subresource: '' | 'status'): KubernetesObject {
    const live = this.#require(object);
    const { uid, resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw conflict(object);
    if (uid !== undefined && uid !== live.metadata.uid) throw conflict(object);
    const next =
      subresource === 'status' ? { ...live, status: object.status } : { ...object, status: live.status };
    return this.#store(live, next, false);
  }

  /** What somebody edits: the change is laid over the object under a manager's name. */
  edit(ref: ObjectRef, manager: string, change: Record<string, unknown>): KubernetesObject | undefined {
    const live = this.get(ref);
    if (!live) return undefined;
    const next = merge(live, change) as KubernetesObject;
    const changed = [...leavesOf(next)].filter(([path, value]) => !same(leavesOf(live).get(path), value));
    const paths = new Set(changed.map(([path]) => path));
    const entries = (live.metadata.managedFields ?? []).map((entry) =>
      entry.subresource
        ? entry
        : { ...entry, fieldsV1: fieldsOf([...ownedBy(entry)].filter((path) => !paths.has(path))) },
    );
    next.metadata.managedFields = [
      ...entries.filter((entry) => entry.manager !== manager),
      entryOf(live, manager, 'Update', [
        ...paths,
        ...ownedBy(entries.find((entry) => entry.manager === manager)),
      ]),
    ];
    return this.#store(live, next, false);
  }

  patch(ref: ObjectRef, type: 'merge' | 'json' | 'strategic', body: unknown): KubernetesObject {
    const live = this.#require({ apiVersion: '', kind: ref.kind, metadata: { ...ref } }, ref);
    const next = (
      type === 'json' ? operate(live, body as Operation[]) : merge(live, body)
    ) as KubernetesObject;
    if (next.metadata.resourceVersion !== live.metadata.resourceVersion) throw conflict(live);
    return this.#store(live, next, false);
  }

  /** @returns false when there was none */
  delete(ref: Omit<ObjectRef, 'version'>, { uid, resourceVersion }: DeleteOptions = {}): boolean {
    const live = this.get(ref);
    if (!live) return false;
    if (uid !== undefined && uid !== live.metadata.uid) throw conflict(live);
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw conflict(live);
    if ((live.metadata.finalizers ?? []).length === 0) this.#remove(live);
    else if (live.metadata.deletionTimestamp === undefined) {
      const metadata = { ...live.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
      this.#store(live, { ...live, metadata }, false);
    }
    return true;
  }

  #require(object: KubernetesObject, ref: Omit<ObjectRef, 'version'> = refOf(object)): KubernetesObject {
    const live = this.get(ref);
    if (!live) throw refusal(404, 'NotFound', object, 'not found');
    return live;
  }

  #store(live: KubernetesObject | undefined, next: KubernetesObject, dryRun: boolean): KubernetesObject {
    const versioned = (object: KubernetesObject) => ({
      ...object,
      metadata: { ...object.metadata, resourceVersion: '' },
    });
    if (live && same(versioned(live), versioned(next))) return live;
    const version = this.#versions + 1;
    next.metadata.resourceVersion = String(version);
    next.metadata.uid = live?.metadata.uid ?? `uid-${version}`;
    if (next.spec !== undefined && next.kind !== 'Lease') {
      const isNew = !live || !same(live.spec, next.spec);
      const isGoing = live?.metadata.deletionTimestamp !== next.metadata.deletionTimestamp;
      next.metadata.generation = (live?.metadata.generation ?? 0) + (isNew || isGoing ? 1 : 0);
    }
    if (dryRun) return next;
    this.#versions = version;
    const { deletionTimestamp, finalizers = [] } = next.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0) {
      this.#remove(next);
      return next;
    }
    const text = JSON.stringify(next);
    this.#objects.set(identityOf(refOf(next)), text);
    this.onEffect?.({ before: live, after: next });
    return JSON.parse(text) as KubernetesObject;
  }

  #remove(live: KubernetesObject): void {
    this.#versions += 1;
    this.#objects.delete(identityOf(refOf(live)));
    this.onEffect?.({ before: live, after: undefined });
  }
}

interface Operation {
  op: 'replace' | 'remove';
  path: string;
  value?: unknown;
}

function operate(object: KubernetesObject, operations: readonly Operation[]): unknown {
  const next = structuredClone(object) as Record<string, unknown>;
  for (const { op, path, value } of operations) {
    const segments = path
      .slice(1)
      .split('/')
      .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'));
    setLeaf(next, JSON.stringify(segments), op === 'remove' ? undefined : value);
  }
  return next;
}

/** https://www.rfc-editor.org/rfc/rfc7386 */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result =
    typeof target === 'object' && target !== null ? { ...(target as Record<string, unknown>) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

function blank({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

function entryOf(
  { apiVersion }: KubernetesObject,
  manager: string,
  operation: 'Apply' | 'Update',
  leaves: Iterable<string>,
): ManagedFieldsEntry {
  return { manager, operation, apiVersion, fieldsType: 'FieldsV1', fieldsV1: fieldsOf(leaves) };
}

function same(a: unknown, b: unknown): boolean {
  if (a === b || JSON.stringify(a) === JSON.stringify(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

function conflict(object: KubernetesObject): KubeError {
  return refusal(409, 'Conflict', object, 'the object has been modified');
}

function refusal(code: number, reason: string, object: KubernetesObject, text: string): KubeError {
  const message = `${describe(refOf(object))}: ${text}`;
  return new KubeError(code, message, { status: { code, reason, message } });
}
