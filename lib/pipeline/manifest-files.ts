import { isMap, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../core/object.ts';
import type { TreeFile } from '../tar.ts';

/** An object as it stands in a file of a repository. */
export interface Manifest {
  file: string;
  /** Of its first line, from 1. */
  line: number;
  object: KubernetesObject;
  /** The line of a field (`spec.path`), or that of what stands above it. */
  lineOf(path: string): number;
}

/** A YAML fault. */
export interface YamlProblem {
  file: string;
  line: number;
  message: string;
}

/** What the YAML files of a repository hold. */
export interface ManifestFiles {
  manifests: Manifest[];
  problems: YamlProblem[];
  /** Files that kustomize takes as patches: what stands in them is no whole object. */
  patches: ReadonlySet<string>;
}

const KUSTOMIZATION_FILE = /(^|\/)(kustomization\.ya?ml|Kustomization)$/;

/** Reads every YAML file of a tree, but for the templates of Helm charts, which are no YAML yet. */
export function readManifests(files: readonly TreeFile[]): ManifestFiles {
  const charts = files.flatMap(({ path }) => /^(?:(.*)\/)?Chart\.yaml$/.exec(path)?.[1] ?? []);
  const manifests: Manifest[] = [];
  const problems: YamlProblem[] = [];
  const patches = new Set<string>();
  for (const { path, data } of files) {
    if (!/\.ya?ml$/.test(path) && !KUSTOMIZATION_FILE.test(path)) continue;
    if (charts.some((chart) => path.startsWith(`${chart}/templates/`))) continue;
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
    const lines = new LineCounter();
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
    for (const document of Array.isArray(documents) ? documents : []) {
      for (const { pos, message } of document.errors)
        problems.push({ file: path, line: Math.max(1, lines.linePos(pos[0]).line), message });
      if (document.errors.length > 0) continue;
      const value = toPlain(() => document.toJS({ maxAliasCount: 1_000 }));
      if (KUSTOMIZATION_FILE.test(path)) for (const patch of patchesOf(path, value)) patches.add(patch);
      const start = lines.linePos(document.contents?.range?.[0] ?? 0).line;
      const lineOf = (field: string) => {
        const offset = offsetOf(document.contents, field);
        return offset === undefined ? start : lines.linePos(offset).line;
      };
      for (const object of objectsOf(value)) manifests.push({ file: path, line: start, object, lineOf });
    }
  }
  return { manifests, problems, patches };
}

/** The objects in a document, those of lists too. */
function objectsOf(value: unknown): KubernetesObject[] {
  if (!isRecord(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') return [];
  if (value.kind.endsWith('List') && Array.isArray(value.items)) return value.items.flatMap(objectsOf);
  if (!isRecord(value.metadata) || typeof value.metadata.name !== 'string') return [];
  return [value as unknown as KubernetesObject];
}

/** The files that a kustomization file names as patches, relative to the root. */
function patchesOf(path: string, value: unknown): string[] {
  if (!isRecord(value)) return [];
  const directory = path.split('/').slice(0, -1);
  const lists = [value.patches, value.patchesJson6902, value.patchesStrategicMerge];
  const names = lists.flatMap((list) => (Array.isArray(list) ? list : [])) as unknown[];
  return names.flatMap((entry) => {
    const name = isRecord(entry) ? entry.path : entry;
    if (typeof name !== 'string' || name.includes('\n')) return [];
    const parts = [...directory];
    for (const part of name.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.' && part !== '') parts.push(part);
    }
    return [parts.join('/')];
  });
}

/** Where a field such as `spec.images[0].name` stands; undefined when nothing of it does. */
function offsetOf(contents: unknown, field: string): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const step of field.match(/[^.[\]"]+/g) ?? []) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (!pair) return offset;
      offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = pair.value;
    } else {
      const item = (node as { items?: unknown[] } | null)?.items?.[Number(step)];
      if (item === undefined) return offset;
      offset = (item as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = item;
    }
  }
  return offset;
}

function toPlain(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    // Too many aliases: no manifest of Kubernetes looks like that.
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
