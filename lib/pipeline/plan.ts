import { type PlanEntry, plan } from '../apply/plan.ts';
import { checkPruneGuard } from '../apply/prune-guard.ts';
import { definedKinds } from '../apply/resolve.ts';
import type { Owner } from '../apply/types.ts';
import { messageOf, ReconcileError } from '../core/errors.ts';
import type { Inventory, InventoryEntry } from '../core/inventory.ts';
import { difference, entryOf, parseEntry, union } from '../core/inventory.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { formatApiVersion, gvkOf, identityOf, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { Engine } from '../render/engine.ts';
import { localTree } from '../source/local-tree.ts';
import type { TreeFile } from '../tar.ts';
import { FIELD_MANAGER } from '../toolkit/annotations.ts';
import { rootObjects } from '../toolkit/bootstrap.ts';
import { customResourceDefinitions } from '../toolkit/crd.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { deletionPolicyOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { ClusterConnection, Context } from './context.ts';
import { decryptionKeys } from './decryption-keys.ts';
import { isKustomization, KUSTOMIZATION } from './kustomizations.ts';
import { keyOf, objectKey } from './object-key.ts';
import { ROOTS } from './prune-options.ts';
import type { WithStatus } from './status.ts';
import { targetClient } from './target.ts';
import { type Rendering, type World, walk } from './walk.ts';

/** What a checkout would do to the objects of one Kustomization. */
export interface PlannedKustomization {
  key: string;
  /** `removed`: it is gone from the checkout, and what it had applied goes with it. `suspended`: nothing would be done. */
  state: Rendering['state'] | 'removed' | 'suspended';
  error?: string;
  notes: string[];
  /** Unchanged objects too. */
  entries: PlanEntry[];
}

/** What planning takes. */
export interface PlanContext extends Pick<Context, 'engine' | 'connect' | 'now'> {
  engine: Engine;
  signal: AbortSignal;
}

const CONCURRENCY = 16;

/** A Kustomization as the cluster has it. */
export type LiveKustomization = Kustomization & WithStatus;

/**
 * Says what applying the files of a repository would change in a cluster, Kustomization by Kustomization from the root down.
 * Nothing is written.
 * @param files of the repository, before `spec.ignore`
 * @param wanted chooses Kustomizations; all by default
 * @throws KubeError when the cluster cannot be reached
 */
export async function planCluster(
  ctx: PlanContext,
  cluster: ClusterConnection,
  files: readonly TreeFile[],
  wanted: (object: Kustomization) => boolean = () => true,
): Promise<PlannedKustomization[]> {
  const { client } = cluster;
  const [, source, root] = await Promise.all(
    rootObjects(cluster.config).map(
      async (object) => (await client.get<KubernetesObject>(refOf(object))) ?? object,
    ),
  );
  if (!source || !root) return [];
  const live = await liveKustomizations(client);
  const world = await walk({
    engine: ctx.engine,
    tree: localTree(files, (source as unknown as GitRepository).spec.ignore),
    root,
    source,
    lookUp: (ref) => client.get(ref),
    decryption: (object) => decryptionKeys({ client, ref: refOf(object as KubernetesObject) }, object),
    signal: ctx.signal,
  });
  return planWorld(ctx, cluster, world, live, wanted);
}

/**
 * Says what applying renderings would change.
 * @param live every Kustomization of the cluster, by key
 */
export async function planWorld(
  ctx: PlanContext,
  cluster: ClusterConnection,
  world: World,
  live: ReadonlyMap<string, LiveKustomization>,
  wanted: (object: Kustomization) => boolean = () => true,
): Promise<PlannedKustomization[]> {
  const kinds = kindsOf(world);
  const planning: Planning = { ctx, cluster, world, live, holders: holdersOf(world, live), kinds };
  const planned: PlannedKustomization[] = [];
  for (const rendering of world.renderings.values()) {
    if (wanted(rendering.object)) planned.push(await planRendering(planning, rendering));
  }
  const seen = new Set(planned.map(({ key }) => key));
  for (const { entries } of [...planned]) await addRemoved(planning, entries, planned, seen);
  return planned;
}

/** The Kustomizations of a cluster, by key. */
export async function liveKustomizations(client: KubeClient): Promise<Map<string, LiveKustomization>> {
  const { items } = await client.list<LiveKustomization>(KUSTOMIZATION);
  // Items of a list name neither their kind nor their API version.
  const apiVersion = formatApiVersion(KUSTOMIZATION);
  return new Map(
    items.map((item) => [
      keyOf(item),
      { ...item, apiVersion, kind: KUSTOMIZATION.kind } as LiveKustomization,
    ]),
  );
}

interface Planning {
  ctx: PlanContext;
  cluster: ClusterConnection;
  world: World;
  live: ReadonlyMap<string, LiveKustomization>;
  /** Who would hold each object, by identity. */
  holders: ReadonlyMap<string, string[]>;
  /** `group/kind` of what the checkout itself defines, and of the Toolkit. */
  kinds: ReadonlySet<string>;
}

async function planRendering(planning: Planning, rendering: Rendering): Promise<PlannedKustomization> {
  const { key, object, state, error, notes, missingVariables } = rendering;
  const planned = { key, state, notes: [...notes], entries: [], ...(error === undefined ? {} : { error }) };
  const live = planning.live.get(key);
  if (live?.spec.suspend) return { ...planned, state: 'suspended' };
  if (state !== 'rendered') return planned;
  if (missingVariables.length > 0) {
    const message = `${missingVariables.join(', ')} with its variables does not exist; create it or mark it optional`;
    return { ...planned, state: 'failed', error: message };
  }
  const previous = inventoryOf(live, rendering.parts);
  const next = union({ entries: [] }, { entries: rendering.objects.map((item) => entryOf(item)) });
  const stale = object.spec.prune ? difference(previous, next) : [];
  if (stale.length > 0) planned.notes.push(...guardNotes(previous, next, rendering));
  try {
    return { ...planned, entries: await planObjects(planning, rendering, stale) };
  } catch (cause) {
    if (!(cause instanceof ReconcileError) && !(cause instanceof KubeError)) throw cause;
    return { ...planned, state: 'failed', error: messageOf(cause) };
  }
}

async function planObjects(
  planning: Planning,
  { object, objects, secrets }: Pick<Rendering, 'object' | 'objects' | 'secrets'>,
  stale: readonly InventoryEntry[],
): Promise<PlanEntry[]> {
  const { ctx, cluster } = planning;
  const ref = refOf(object as KubernetesObject);
  const seeker = { client: cluster.client, cluster, ref, job: { cluster: cluster.config.name }, ctx };
  const { client, remote } = await targetClient(seeker, object);
  const [known, unknown] = await splitServed(planning, client, objects);
  const owner: Owner = {
    kind: 'Kustomization',
    group: ref.group,
    name: ref.name,
    namespace: ref.namespace,
  };
  const others = (item: ObjectRef) =>
    remote ? [] : (planning.holders.get(identityOf(item)) ?? []).filter((key) => key !== objectKey(ref));
  const entries = await plan(client, known, {
    owner,
    fieldManager: FIELD_MANAGER,
    force: object.spec.force,
    concurrency: CONCURRENCY,
    ignore: object.spec.ignore ?? [],
    signal: ctx.signal,
    now: ctx.now,
    contested: async (item, other) =>
      others(item).includes(objectKey({ kind: KUSTOMIZATION.kind, ...other })),
    stale,
    prune: { protectedRefs: ROOTS, allowed: false, claimed: async (item) => claimOf(others(item)[0]) },
    secrets,
  });
  const later = unknown.map((item): PlanEntry => {
    return { ref: refOf(item), action: 'created', detail: 'its kind is defined by the same change' };
  });
  return [...entries, ...later];
}

/** Objects of kinds that the cluster does not serve yet, but will after this very change, cannot be tried. */
async function splitServed(
  { kinds }: Planning,
  client: KubeClient,
  objects: readonly KubernetesObject[],
): Promise<[KubernetesObject[], KubernetesObject[]]> {
  const own = definedKinds(objects);
  const known: KubernetesObject[] = [];
  const unknown: KubernetesObject[] = [];
  for (const object of objects) {
    const gvk = gvkOf(object);
    const name = `${gvk.group}/${gvk.kind}`;
    const isLater = kinds.has(name) && !own.has(name) && (await client.resource(gvk)) === undefined;
    (isLater ? unknown : known).push(object);
  }
  return [known, unknown];
}

/** Kustomizations that the plan deletes take with them what they have applied. */
async function addRemoved(
  planning: Planning,
  entries: readonly PlanEntry[],
  planned: PlannedKustomization[],
  seen: Set<string>,
): Promise<void> {
  for (const { ref, action } of entries) {
    if (action !== 'deleted' || !isKustomization(ref)) continue;
    const key = objectKey(ref);
    const object = planning.live.get(key);
    if (!object || seen.has(key)) continue;
    seen.add(key);
    const keeps = deletionPolicyOf(object) === 'Orphan' || object.spec.suspend === true;
    const stale = keeps ? [] : inventoryOf(object, []).entries;
    const removed = await planObjects(planning, { object, objects: [], secrets: [] }, stale);
    const notes = keeps ? ['what it has applied stays in the cluster'] : [];
    planned.push({ key, state: 'removed', notes, entries: removed });
    await addRemoved(planning, removed, planned, seen);
  }
}

function guardNotes(previous: Inventory, next: Inventory, { key, digest }: Rendering): string[] {
  try {
    checkPruneGuard({ previous, next, renderedDigest: digest, owner: key });
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** What a Kustomization has applied, without the parts of Flux, which are left alone. */
function inventoryOf(live: LiveKustomization | undefined, parts: readonly KubernetesObject[]): Inventory {
  const ids = new Set(parts.map((item) => entryOf(item).id));
  return { entries: (live?.status?.inventory?.entries ?? []).filter(({ id }) => !ids.has(id)) };
}

/** By the checkout for the Kustomizations that it renders, by their inventories for all others. */
function holdersOf(
  { renderings }: World,
  live: ReadonlyMap<string, LiveKustomization>,
): Map<string, string[]> {
  const holders = new Map<string, string[]>();
  const add = (key: string, ref: ObjectRef) =>
    holders.set(identityOf(ref), [...(holders.get(identityOf(ref)) ?? []), key]);
  for (const { key, object, objects, state } of renderings.values()) {
    if (state !== 'rendered' || object.spec.kubeConfig) continue;
    for (const item of objects) add(key, refOf(item));
  }
  for (const [key, item] of live) {
    if (item.spec.kubeConfig || item.metadata.deletionTimestamp) continue;
    const state = renderings.get(key)?.state;
    // One that the checkout no longer has is about to go.
    if (state === undefined || state === 'rendered') continue;
    for (const entry of item.status?.inventory?.entries ?? []) {
      const ref = parseEntry(entry);
      if (ref) add(key, ref);
    }
  }
  return holders;
}

function kindsOf({ renderings }: World): Set<string> {
  const objects = [...renderings.values()].flatMap((rendering) => rendering.objects);
  return new Set([...definedKinds(objects), ...definedKinds(customResourceDefinitions())]);
}

function claimOf(by: string | undefined) {
  return by === undefined ? undefined : { by, settled: true };
}
