import { findMarked, type MarkedScalar } from './marked-scalars.ts';
import { MARKER_TOKEN } from './marker.ts';
import type { ObjectIdentity } from './object-identity.ts';
import { setScalars } from './set-scalars.ts';
import type { Setter } from './setters.ts';

/** A file of a tree. */
export interface TreeText {
  path: string;
  data: Uint8Array;
}

/** A marked value that changes, or would. */
export interface Change {
  file: string;
  object: ObjectIdentity;
  oldValue: string;
  newValue: string;
  /** As the marker says. */
  setter: string;
  /** `namespace:name`. */
  policy: string;
}

/** Why a value stays as it is although its policy has chosen another. */
export interface Kept {
  file: string;
  line: number;
  policy: string;
  why: string;
}

/** A place that a marker names, and whether it holds what its policy has chosen. */
export interface MarkedPlace {
  /** Tells it apart from all others, and stays when lines move. */
  key: string;
  policy: string;
  upToDate: boolean;
}

/** What an update comes to. */
export interface Update {
  /** New contents by path. */
  files: Map<string, Uint8Array>;
  changes: Change[];
  kept: Kept[];
  places: MarkedPlace[];
  /** Keys of the places that change. */
  written: string[];
  /** Files and markers that something is wrong with; they were left alone. */
  problems: string[];
  /** Policies that markers name and that are not among the given ones. */
  unknown: Set<string>;
}

/** One value that would change. */
export interface Proposal {
  file: string;
  scalar: MarkedScalar;
  setter: Setter;
  /** See {@link MarkedPlace}. */
  place: string;
}

/** Says why proposals for one place and policy are not carried out; undefined: they are. */
export type Objection = (proposals: readonly Proposal[]) => string | undefined;

/** Whether a file is looked at: as with Flux, by its name. */
export function isYamlFile(path: string): boolean {
  return /\.ya?ml$/.test(path) || /(^|\/)Kustomization$/.test(path);
}

/**
 * Sets all marked values of some files. A file that is not valid YAML is left alone and named, and so is a marker that belongs to no value.
 * Name, tag and digest of one policy side by side are set together or not at all.
 * @param objection asked once for each such group
 */
export function updateFiles(
  files: Iterable<TreeText>,
  setters: ReadonlyMap<string, Setter>,
  objection: Objection = () => undefined,
): Update {
  const update: Update = {
    files: new Map(),
    changes: [],
    kept: [],
    places: [],
    written: [],
    problems: [],
    unknown: new Set(),
  };
  const token = Buffer.from(MARKER_TOKEN);
  for (const { path, data } of files) {
    if (!isYamlFile(path) || !Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(token))
      continue;
    try {
      updateFile(path, data, setters, objection, update);
    } catch (error) {
      update.problems.push(
        `${path} is left alone: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return update;
}

function updateFile(
  path: string,
  data: Uint8Array,
  setters: ReadonlyMap<string, Setter>,
  objection: Objection,
  update: Update,
): void {
  const text = decode(data);
  const { scalars, misplaced } = findMarked(text);
  for (const { setter, line, why } of misplaced)
    update.problems.push(`${path}:${line}: the marker ${setter} has no effect: ${why}`);
  const groups = new Map<string, Proposal[]>();
  for (const scalar of scalars) {
    const setter = setters.get(scalar.setter);
    if (!setter) {
      update.unknown.add(scalar.setter.split(':').slice(0, 2).join(':'));
      continue;
    }
    const place = placeOf(path, scalar);
    update.places.push({ key: place, policy: setter.policy, upToDate: scalar.value === setter.value });
    if (scalar.value === setter.value) continue;
    const alone = setter.part === 'image' ? scalar.path : scalar.path.slice(0, -1);
    const group = JSON.stringify([setter.policy, setter.part === 'image', alone]);
    groups.set(group, [...(groups.get(group) ?? []), { file: path, scalar, setter, place }]);
  }
  const accepted: Proposal[] = [];
  for (const proposals of groups.values()) {
    const why = objection(proposals);
    if (why === undefined) accepted.push(...proposals);
    else {
      const [{ scalar, setter }] = proposals as [Proposal];
      update.kept.push({ file: path, line: scalar.line, policy: setter.policy, why });
    }
  }
  if (accepted.length === 0) return;
  const result = setScalars(
    text,
    accepted.map(({ scalar, setter }) => ({ scalar, value: setter.value })),
  );
  update.written.push(...accepted.map(({ place }) => place));
  update.files.set(path, Buffer.from(result, 'utf8'));
  for (const { scalar, setter } of accepted.toSorted((a, b) => a.scalar.start - b.scalar.start)) {
    update.changes.push({
      file: path,
      object: scalar.object,
      oldValue: scalar.value,
      newValue: setter.value,
      setter: scalar.setter,
      policy: setter.policy,
    });
  }
}

/** Names a place by its file, object and path there, not by its line. */
function placeOf(file: string, { object, path, setter }: MarkedScalar): string {
  const { kind, name, namespace } = object;
  // Documents of a file are told apart by their objects where they have names, since others may be put before them.
  const within = kind === '' || name === '' ? path : path.slice(1);
  return JSON.stringify([file, kind, namespace, name, setter, ...within]);
}

/** @throws Error when it is not UTF-8: written back, other bytes would change */
function decode(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Error('it is not UTF-8');
  }
}
