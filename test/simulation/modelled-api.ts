import type { KubernetesObject, ManagedFieldsEntry, ObjectRef } from '../../lib/core/object.ts';
import { describe, identityOf, refOf } from '../../lib/core/object.ts';
import type { DeleteOptions } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { fieldsOf, leavesOf, ownedBy, pathOf, setLeaf } from './fields.ts';
import { frozen } from './frozen.ts';
import { wireCopy } from './wire-copy.ts';

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
  /** By group and kind, and then by identity; shared by all who read them. */
  readonly #objects: Map<string, Map<string, KubernetesObject>>;
  readonly #keep: (object: KubernetesObject) => KubernetesObject;
  #versions: number;
  /** Called after each write that changed something. */
  onEffect: ((effect: Effect) => void) | undefined;

  /** @param strict whether a process that changes what it has read is refused */
  constructor(from?: Api, strict = false) {
    this.#keep = strict ? frozen : (object) => object;
    this.#objects = new Map(
      (from ? [...from.#objects] : []).map(([kind, objects]) => [kind, new Map(objects)]),
    );
    this.#versions = from ? from.#versions : 100;
  }

  get(ref: Omit<ObjectRef, 'version'>): KubernetesObject | undefined {
    return this.#objects.get(`${ref.group}/${ref.kind}`)?.get(identityOf(ref));
  }

  list(group: string, kind: string): KubernetesObject[] {
    return [...(this.#objects.get(`${group}/${kind}`)?.values() ?? [])];
  }

  apply(object: KubernetesObject, manager: string, dryRun: boolean): KubernetesObject {
    const live = this.get(refOf(object));
    const { uid, resourceVersion } = object.metadata;
    if (uid !== undefined && uid !== live?.metadata.uid) throw conflict(object);
    if (live && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw conflict(object);
    const next = live ? wireCopy(live) : blank(object);
    const entries = live?.metadata.managedFields ?? [];
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
        .map((entry) => without(entry, lost))
        .filter((entry) => Object.keys(entry.fieldsV1 ?? {}).length > 0),
      entryOf(object, manager, 'Apply', wanted.keys()),
    ];
    return this.#store(live, next, dryRun);
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
    const next = subresource === 'status' ? withStatus(live, object.status) : withStatus(object, live.status);
    return this.#store(live, next, false);
  }

  /** What somebody edits: the change is laid over the object under a manager's name. */
  edit(ref: ObjectRef, manager: string, change: Record<string, unknown>): KubernetesObject | undefined {
    const live = this.get(ref);
    if (!live) return undefined;
    const next = wireCopy(merge(live, change)) as KubernetesObject;
    const before = leavesOf(live);
    const changed = [...leavesOf(next)].filter(([path, value]) => !same(before.get(path), value));
    const paths = new Set(changed.map(([path]) => path));
    const entries = (live.metadata.managedFields ?? []).map((entry) => without(entry, paths));
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

  #store(live: KubernetesObject | undefined, wanted: KubernetesObject, dryRun: boolean): KubernetesObject {
    const next: KubernetesObject = { ...wanted, metadata: { ...wanted.metadata } };
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
    const stored = this.#keep(next);
    const { group, kind } = refOf(stored);
    const objects = this.#objects.get(`${group}/${kind}`) ?? new Map<string, KubernetesObject>();
    this.#objects.set(`${group}/${kind}`, objects);
    objects.set(identityOf(refOf(stored)), stored);
    this.onEffect?.({ before: live, after: stored });
    return stored;
  }

  #remove(live: KubernetesObject): void {
    this.#versions += 1;
    const { group, kind } = refOf(live);
    this.#objects.get(`${group}/${kind}`)?.delete(identityOf(refOf(live)));
    this.onEffect?.({ before: live, after: undefined });
  }
}

interface Operation {
  op: 'replace' | 'remove';
  path: string;
  value?: unknown;
}

function operate(object: KubernetesObject, operations: readonly Operation[]): unknown {
  const next = wireCopy(object) as Record<string, unknown>;
  for (const { op, path, value } of operations) {
    const segments = path
      .slice(1)
      .split('/')
      .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'));
    setLeaf(next, pathOf(segments), op === 'remove' ? undefined : value);
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

function withStatus({ status: _status, ...object }: KubernetesObject, status: unknown): KubernetesObject {
  return status === undefined ? object : { ...object, status };
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

/** An entry of managed fields without what its manager has lost. */
function without(entry: ManagedFieldsEntry, lost: ReadonlySet<string>): ManagedFieldsEntry {
  const own = ownedBy(entry);
  if (entry.subresource || ![...lost].some((path) => own.has(path))) return entry;
  return { ...entry, fieldsV1: fieldsOf([...own].filter((path) => !lost.has(path))) };
}

/** Whether two values are the same as JSON. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((member, index) => same(member, b[index]))
    );
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key in left) if (!same(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function conflict(object: KubernetesObject): KubeError {
  return refusal(409, 'Conflict', object, 'the object has been modified');
}

function refusal(code: number, reason: string, object: KubernetesObject, text: string): KubeError {
  const message = `${describe(refOf(object))}: ${text}`;
  return new KubeError(code, message, { status: { code, reason, message } });
}
