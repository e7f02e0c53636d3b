import { messageOf, ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { identityOf, refOf } from '../core/object.ts';
import { normaliseRepository } from '../core/repository.ts';
import type { Closure } from '../core/tree.ts';
import type { Engine } from '../render/engine.ts';
import { type Decryption, render } from '../render/render.ts';
import { isFluxController } from '../toolkit/bootstrap.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { parseToolkitObject, type ToolkitError } from '../toolkit/parse.ts';
import { isToolkitGroup } from '../toolkit/registry.ts';
import { encryptedTexts } from './encrypted.ts';
import { sourceRefOf } from './load-source.ts';
import { keyOf, objectKey } from './object-key.ts';
import { type OpenVariables, openVariables } from './open-variables.ts';

/** A Kustomization that was met on the way, and what it renders to. */
export interface Rendering {
  key: string;
  object: Kustomization;
  /** Key of the Kustomization that brings this one; undefined for the root. */
  parent: string | undefined;
  /** `elsewhere`: its source is another repository or revision; `unresolved`: nobody knows its source. */
  state: 'rendered' | 'failed' | 'elsewhere' | 'unresolved';
  /** What it would apply; empty unless rendered. */
  objects: KubernetesObject[];
  /** Parts of Flux that it renders too; they are left alone. */
  parts: KubernetesObject[];
  closure: Closure;
  digest: string;
  error?: string;
  /** Worth telling, but no errors. */
  notes: string[];
  /** Names of ConfigMaps and Secrets with variables that nobody could read. */
  missingVariables: string[];
  /** Texts that must not be shown. */
  secrets: string[];
}

/** A Toolkit object that its schema refuses. */
export interface InvalidObject {
  /** Key of the Kustomization that renders it. */
  by: string;
  object: KubernetesObject;
  errors: ToolkitError[];
}

/** Everything that a root Kustomization brings, directly or through others. */
export interface World {
  root: string;
  /** By key, in the order they were met. */
  renderings: Map<string, Rendering>;
  /** Toolkit objects other than Kustomizations, by key. */
  others: Map<string, KubernetesObject>;
  invalid: InvalidObject[];
}

/** What a walk works with. */
export interface WalkOptions {
  engine: Engine;
  tree: { digest: string; archive: Uint8Array };
  /** The Kustomization to begin with. */
  root: KubernetesObject;
  /** Its source: Kustomizations of the same repository and ref are rendered from the tree. */
  source: KubernetesObject;
  /** Reads an object of the live cluster. Absent: there is no cluster. */
  lookUp?: (ref: ObjectRef) => Promise<KubernetesObject | undefined>;
  /** The keys for `spec.decryption`. Absent: encrypted values stay as they are. */
  decryption?: (object: Kustomization) => Promise<Decryption | undefined>;
  /** Render the root alone. Default: false. */
  rootOnly?: boolean;
  signal?: AbortSignal;
}

interface Pending {
  object: Kustomization;
  parent: string | undefined;
}

/**
 * Renders a tree from its root Kustomization down, as a cluster would come to it. A Kustomization whose variables or source
 * other Kustomizations bring is rendered after them.
 * @throws Error when the root itself is no valid Kustomization
 */
export async function walk(options: WalkOptions): Promise<World> {
  const root = parseToolkitObject(options.root);
  if (!root.ok) throw new Error(root.errors.map(({ message }) => message).join('; '));
  const first = root.object as Kustomization;
  const world: World = { root: keyOf(first), renderings: new Map(), others: new Map(), invalid: [] };
  const source = options.source as unknown as GitRepository;
  world.others.set(keyOf(options.source), options.source);
  let pending: Pending[] = [{ object: first, parent: undefined }];
  let last = false;
  while (pending.length > 0) {
    const settled = await Promise.all(
      pending.map(async (item) => ({ item, rendering: await visit(options, world, source, item, last) })),
    );
    const next: Pending[] = [];
    let progress = false;
    for (const { item, rendering } of settled) {
      if (!rendering) next.push(item);
      else if (!world.renderings.has(rendering.key)) {
        progress = true;
        world.renderings.set(rendering.key, rendering);
        const brought = take(world, rendering);
        if (!options.rootOnly) next.push(...brought);
      }
    }
    const unmet = new Map(next.map((item) => [keyOf(item.object), item]));
    pending = [...unmet.values()].filter(({ object }) => !world.renderings.has(keyOf(object)));
    // What still waits then waits for something that nobody brings.
    last = !progress;
  }
  return world;
}

/** The object of a world that a reference names. */
export function findInWorld(world: World, ref: ObjectRef): KubernetesObject | undefined {
  const wanted = identityOf(ref);
  for (const { objects } of world.renderings.values()) {
    const found = objects.find((object) => identityOf(refOf(object)) === wanted);
    if (found) return found;
  }
  return undefined;
}

/** Sorts the Toolkit objects out of a rendering: further Kustomizations, other kinds, and those that are wrong. */
function take(world: World, rendering: Rendering): Pending[] {
  const found: Pending[] = [];
  for (const object of rendering.objects) {
    if (!isToolkitGroup(refOf(object).group)) continue;
    const parsed = parseToolkitObject(object);
    if (!parsed.ok) world.invalid.push({ by: rendering.key, object, errors: parsed.errors });
    else if (parsed.object.kind === 'Kustomization')
      found.push({ object: parsed.object as Kustomization, parent: rendering.key });
    else world.others.set(keyOf(object), parsed.object as KubernetesObject);
  }
  return found;
}

/** @returns undefined when it is too early to render it */
async function visit(
  options: WalkOptions,
  world: World,
  root: GitRepository,
  { object, parent }: Pending,
  last: boolean,
): Promise<Rendering | undefined> {
  const rendering: Rendering = {
    key: keyOf(object),
    object,
    parent,
    state: 'rendered',
    objects: [],
    parts: [],
    closure: { files: [], missing: [], directories: [] },
    digest: '',
    notes: [],
    missingVariables: [],
    secrets: [],
  };
  const ref = sourceRefOf(object);
  const known = world.others.get(objectKey(ref));
  if (!known && !last) return undefined;
  const source = known ?? (await options.lookUp?.({ ...ref, version: 'v1' }));
  if (!source) return { ...rendering, state: 'unresolved' };
  if (!isSameSource(source, root)) return { ...rendering, state: 'elsewhere' };
  try {
    const variables = await openVariables(object, (wanted) => findInWorld(world, wanted), {
      last,
      ...(options.lookUp ? { lookUp: options.lookUp } : {}),
    });
    return variables && (await renderInto(options, rendering, variables));
  } catch (error) {
    if (!(error instanceof ReconcileError)) throw error;
    return { ...rendering, state: 'failed', error: messageOf(error) };
  }
}

async function renderInto(
  options: WalkOptions,
  rendering: Rendering,
  variables: OpenVariables,
): Promise<Rendering> {
  const { object } = rendering;
  const decryption = await options.decryption?.(object);
  const input = {
    artifactDigest: options.tree.digest,
    readTree: async () => options.tree.archive,
    tenant: 'local',
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const { decryption: _encrypted, ...spec } = object.spec;
  const closed: Kustomization = { ...object, spec };
  const lockedOptions = await variables.complete(closed, (kustomization, values) =>
    render(options.engine, { ...input, kustomization, variables: values }),
  );
  const locked = await render(options.engine, { ...input, ...lockedOptions });
  let rendered = locked;
  const secrets = [...variables.secrets];
  if (decryption) {
    const kustomization = { ...lockedOptions.kustomization, spec: { ...lockedOptions.kustomization.spec } };
    if (object.spec.decryption) kustomization.spec.decryption = object.spec.decryption;
    rendered = await render(options.engine, { ...input, ...lockedOptions, kustomization, decryption });
    secrets.push(...encryptedTexts(locked.objects, rendered.objects));
  }
  const own = rendered.objects.filter((item) => !isFluxController(item));
  const parts = rendered.objects.filter((item) => isFluxController(item));
  const notes = [...rendered.warnings];
  if (parts.length > 0) notes.push(`${parts.length} parts of Flux are left out: Slipway does their work`);
  const { missing } = variables;
  const { digest, closure } = rendered;
  return { ...rendering, objects: own, parts, digest, closure, notes, secrets, missingVariables: missing };
}

/** The same repository at the same ref. */
function isSameSource(source: KubernetesObject, root: GitRepository): boolean {
  if (source.kind !== 'GitRepository') return false;
  const { url, ref } = (source as unknown as GitRepository).spec;
  const same = (normaliseRepository(url) ?? url) === (normaliseRepository(root.spec.url) ?? root.spec.url);
  return same && JSON.stringify(refParts(ref)) === JSON.stringify(refParts(root.spec.ref));
}

function refParts(ref: GitRepository['spec']['ref']): unknown[] {
  const { branch = 'master', tag, semver, name, commit } = ref ?? {};
  const precise = [tag, semver, name, commit];
  return precise.some((part) => part !== undefined) ? precise : [branch];
}
