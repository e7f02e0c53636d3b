import { describe, identityOf, refOf } from '../core/object.ts';
import { suggest } from '../core/suggest.ts';
import type { Engine } from '../render/engine.ts';
import type { LocalTree } from '../source/local-tree.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { findKind, isToolkitGroup } from '../toolkit/registry.ts';
import { isEncrypted } from './encrypted.ts';
import { imageFaults } from './image-faults.ts';
import { dependenciesOf } from './kustomizations.ts';
import { sourceRefOf } from './load-source.ts';
import type { LocalRoot } from './local-roots.ts';
import { localWorlds } from './local-worlds.ts';
import { type ManifestFiles, readManifests } from './manifest-files.ts';
import { objectKey } from './object-key.ts';
import { receiverFaults } from './receiver-faults.ts';
import type { Rendering, World } from './walk.ts';

/** Something wrong, or doubtful, in a repository. */
export interface Finding {
  severity: 'error' | 'warning';
  /** Relative to the root of the repository. */
  file?: string;
  line?: number;
  /** The cluster (or the directory where one begins) for which it holds; undefined: for the file itself. */
  cluster?: string;
  /** Key of the Kustomization concerned. */
  object?: string;
  /** Names the object, what is wrong and what to do. */
  message: string;
}

/** What a validation looked at, and what it found. */
export interface Validated {
  findings: Finding[];
  files: number;
  /** By cluster: how many Kustomizations it has, and how many of them were rendered. */
  clusters: { name: string; kustomizations: number; rendered: number }[];
}

/**
 * Checks a whole repository without any cluster: YAML, Toolkit objects, builds and references.
 * @param roots where clusters begin; undefined: guessed from the files
 */
export async function validateRepository(
  engine: Engine,
  tree: LocalTree,
  roots?: readonly LocalRoot[],
): Promise<Validated> {
  const manifests = readManifests(tree.files);
  const findings: Finding[] = [...checkYaml(manifests), ...checkManifests(manifests)];
  const clusters: Validated['clusters'] = [];
  for (const { root, world } of await localWorlds(engine, tree, manifests.manifests, roots)) {
    const renderings = [...world.renderings.values()];
    const rendered = renderings.filter(({ state }) => state === 'rendered').length;
    clusters.push({ name: root.name, kustomizations: renderings.length, rendered });
    const found = [
      ...checkBuilds(renderings, root, [...world.others.keys()]),
      ...checkInvalid(world, findings),
      ...checkDependencies(world),
      ...checkDuplicates(renderings),
      ...checkSecrets(renderings, manifests),
    ];
    findings.push(...found.map((finding) => ({ ...finding, cluster: root.name })));
  }
  return { findings: unique(findings), files: tree.files.length, clusters };
}

function checkYaml({ problems }: ManifestFiles): Finding[] {
  return problems.map(({ file, line, message }) => ({ severity: 'error', file, line, message }));
}

/** Toolkit objects as they stand in the files; patches are no whole objects, and variables are judged after the build. */
function checkManifests({ manifests, patches }: ManifestFiles): Finding[] {
  return manifests.flatMap(({ file, object, lineOf }) => {
    if (!isToolkitGroup(refOf(object).group) || patches.has(file)) return [];
    const parsed = parseToolkitObject(object);
    const errors = parsed.ok
      ? [...imageFaults(parsed.object), ...receiverFaults(parsed.object)].map(({ path, message }) => ({
          path,
          message: `${describe(refOf(object))}: ${path}: ${message}`,
        }))
      : parsed.errors;
    return errors
      .filter(({ path }) => !holdsVariable(object, path))
      .map(({ path, message }): Finding => ({ severity: 'error', file, line: lineOf(path), message }));
  });
}

function holdsVariable(object: unknown, path: string): boolean {
  let value: unknown = object;
  for (const step of path.match(/[^.[\]"]+/g) ?? [])
    value = (value as Record<string, unknown> | undefined)?.[step];
  return typeof value === 'string' && value.includes('${');
}

function checkBuilds(
  renderings: readonly Rendering[],
  { guessed }: LocalRoot,
  sources: readonly string[],
): Finding[] {
  return renderings.flatMap(({ key, object, state, error, notes, missingVariables }): Finding[] => {
    const found: Finding[] = notes.map((note) => ({
      severity: 'warning',
      object: key,
      message: `${key}: ${note}`,
    }));
    for (const missing of missingVariables) {
      const message = `${key}: ${missing}, which postBuild.substituteFrom names, is not in the repository; its variables were not checked`;
      found.push({ severity: 'warning', object: key, message });
    }
    if (state === 'failed') {
      const open = missingVariables.length > 0;
      found.push({ severity: open ? 'warning' : 'error', object: key, message: `${key}: ${error}` });
    }
    if (state === 'unresolved') found.push(unresolved(key, object, guessed, sources));
    return found;
  });
}

function unresolved(
  key: string,
  object: Kustomization,
  guessed: boolean,
  sources: readonly string[],
): Finding {
  const ref = sourceRefOf(object);
  const source = objectKey(ref);
  if (findKind(ref.group, ref.kind)?.supported !== true) {
    const message = `${key}: sources of kind ${ref.kind} are not supported yet`;
    return { severity: 'error', object: key, message };
  }
  const meant = suggest(source, sources);
  const hint = meant === undefined ? 'nothing of it could be checked' : `did you mean ${meant}?`;
  const message = `${key}: its source ${source} is not in the repository; ${hint}`;
  return { severity: guessed && meant === undefined ? 'warning' : 'error', object: key, message };
}

/** Toolkit objects that went wrong only in the build; what the file itself shows is not said twice. */
function checkInvalid({ invalid }: World, known: readonly Finding[]): Finding[] {
  return invalid.flatMap(({ by, object, errors }) =>
    errors
      .filter(({ path, message }) => {
        const fault = message.slice(message.indexOf(`: ${path}: `));
        return !known.some(
          (other) =>
            other.file !== undefined &&
            isAbout(other, object.kind, object.metadata.name) &&
            other.message.endsWith(fault),
        );
      })
      .map(
        ({ message }): Finding => ({
          severity: 'error',
          object: by,
          message: `${message} (rendered by ${by})`,
        }),
      ),
  );
}

function isAbout({ message }: Finding, kind: string, name: string): boolean {
  const subject = message.slice(0, message.indexOf(': '));
  return subject.startsWith(`${kind}/`) && subject.endsWith(`/${name}`);
}

function checkDependencies({ renderings }: World): Finding[] {
  const edges = new Map([...renderings.values()].map(({ key, object }) => [key, dependenciesOf(object)]));
  const found: Finding[] = [];
  for (const [key, dependencies] of edges) {
    for (const missing of dependencies.filter((dependency) => !edges.has(dependency))) {
      const meant = suggest(missing, [...edges.keys()]);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      found.push({
        severity: 'error',
        object: key,
        message: `${key}: dependsOn names ${missing}, which does not exist${hint}`,
      });
    }
  }
  for (const cycle of cyclesOf(edges)) {
    const message = `${cycle[0]}: dependsOn goes round in a circle (${[...cycle, cycle[0]].join(' → ')}), so none of them is ever applied`;
    found.push({ severity: 'error', object: cycle[0] ?? '', message });
  }
  return found;
}

/** Each circle once, beginning with its first key in the alphabet. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (key: string, path: readonly string[]) => {
    const at = path.indexOf(key);
    if (at >= 0) {
      const cycle = path.slice(at);
      const first = cycle.indexOf(cycle.toSorted()[0] ?? '');
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      cycles.set(turned.join(), turned);
      return;
    }
    if (done.has(key)) return;
    for (const next of edges.get(key) ?? []) visit(next, [...path, key]);
    done.add(key);
  };
  for (const key of [...edges.keys()].sort()) visit(key, []);
  return [...cycles.values()];
}

function checkDuplicates(renderings: readonly Rendering[]): Finding[] {
  const owners = new Map<string, { name: string; keys: string[] }>();
  for (const { key, object, objects } of renderings) {
    const target = object.spec.kubeConfig ? JSON.stringify(object.spec.kubeConfig) : '';
    for (const ref of objects.map(refOf)) {
      const identity = `${target} ${identityOf(ref)}`;
      const owner = owners.get(identity) ?? { name: describe(ref), keys: [] };
      owner.keys.push(key);
      owners.set(identity, owner);
    }
  }
  const found = new Map<string, string[]>();
  for (const { name, keys } of owners.values()) {
    if (keys.length > 1) found.set(keys.join(' and '), [...(found.get(keys.join(' and ')) ?? []), name]);
  }
  return [...found].map(([keys, names]) => ({
    severity: 'warning',
    message: `${keys} both apply ${names.join(', ')}; they would overwrite each other, keep it in one of them`,
  }));
}

function checkSecrets(renderings: readonly Rendering[], { manifests }: ManifestFiles): Finding[] {
  return renderings.flatMap(({ key, object, objects, closure }) => {
    if (!object.spec.decryption) return [];
    const read = new Set(closure.files);
    return objects.filter(isPlainSecret).map((secret): Finding => {
      const { name } = secret.metadata;
      const source = manifests.find(
        (one) => read.has(one.file) && one.object.kind === 'Secret' && one.object.metadata.name === name,
      );
      return {
        severity: 'warning',
        object: key,
        ...(source ? { file: source.file, line: source.line } : {}),
        message: `${describe(refOf(secret))} is not encrypted, though ${key} decrypts with SOPS; encrypt it, and change what it holds: it is in the history`,
      };
    });
  });
}

function isPlainSecret(object: Parameters<typeof refOf>[0]): boolean {
  if (object.kind !== 'Secret' || isEncrypted(object)) return false;
  const { data, stringData } = object as { data?: object; stringData?: object };
  return Object.keys({ ...data, ...stringData }).length > 0;
}

/** What holds for several clusters alike is said for the first only. */
function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ file, line, message }) => {
    const id = JSON.stringify([file, line, message]);
    return !seen.has(id) && seen.add(id);
  });
}
