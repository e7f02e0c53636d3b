import type { Condition } from '../../lib/core/conditions.ts';
import { getCondition } from '../../lib/core/conditions.ts';
import type { Inventory } from '../../lib/core/inventory.ts';
import { parseEntry } from '../../lib/core/inventory.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { gitRevision } from '../../lib/core/revision.ts';
import type { WantedStatus } from '../../lib/store/outbox.ts';
import { type Commit, type Content, NAMESPACE } from './repository.ts';
import { CLUSTER, PROVIDER } from './worker.ts';
import type { World } from './world.ts';

export const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io';
const SOURCE = 'source.toolkit.fluxcd.io';

/** A Toolkit object with the part of its status that is looked at. */
export interface Live extends KubernetesObject {
  spec: { suspend?: boolean; dependsOn?: unknown[] };
  status?: {
    conditions?: Condition[];
    observedGeneration?: number;
    lastAppliedRevision?: string;
    lastAttemptedRevision?: string;
    inventory?: Inventory;
    artifact?: { revision: string; digest: string };
  };
}

/** The folder that a Kustomization renders. */
export function folderOf(name: string): string {
  return name === 'flux-system' ? 'root' : name;
}

/** What a Kustomization renders at a commit; undefined when its build fails. */
export function renderingOf(commit: Commit, name: string): KubernetesObject[] | undefined {
  const found = commit.files[`${folderOf(name)}/objects.json`];
  return found === 'broken' || found === undefined ? undefined : found;
}

export function kustomizationOf({ api }: Pick<World, 'api'>, name: string): Live | undefined {
  return api.get({ group: KUSTOMIZE, kind: 'Kustomization', namespace: NAMESPACE, name }) as Live | undefined;
}

export function sourceOf({ api }: Pick<World, 'api'>): Live | undefined {
  const name = 'flux-system';
  return api.get({ group: SOURCE, kind: 'GitRepository', namespace: NAMESPACE, name }) as Live | undefined;
}

/** The names of the Kustomizations that a commit brings. */
export function broughtBy({ content }: Commit): string[] {
  return ['flux-system', 'base', ...(content.app ? ['app'] : [])];
}

/** The Kustomization of a commit whose build fails; none where the commit leaves that one out. */
function brokenAt({ content: { app, broken } }: Commit): Content['broken'] {
  return broken === 'app' && !app ? 'none' : broken;
}

/** What is not as the head of the branch says, in sentences; empty when all is. */
export function differences(world: World): string[] {
  const { head } = world.repository;
  const revision = gitRevision('main', head.hash);
  const problems: string[] = [];
  if (sourceOf(world)?.status?.artifact?.revision !== revision)
    problems.push('the source is not at the head');
  const wanted = new Map<string, { owner: string; value: string }>();
  // What a failed build has left, and what waits for it, stays as it was.
  const unknown = new Set<string>();
  for (const name of broughtBy(head)) {
    const objects = renderingOf(head, name);
    // What waits for it stands as it stood, or was not touched by the commit.
    const waits =
      (name === 'app' && head.content.dependsOn && head.content.broken === 'base') || isHeldBack(world, name);
    if (!objects || waits) unknown.add(name);
    if (!waits) problems.push(...problemsOf(world, name, revision, objects));
    for (const { kind, metadata, data } of objects ?? [])
      if (kind === 'ConfigMap')
        wanted.set(metadata.name, { owner: name, value: (data as { value: string }).value });
  }
  if (!head.content.app && brokenAt(head) === 'none' && kustomizationOf(world, 'app'))
    problems.push('Kustomization app is still there');
  for (const object of world.api.list('', 'ConfigMap')) {
    const { name, labels } = object.metadata;
    const owner = labels?.[`${KUSTOMIZE}/name`] ?? '';
    const found = wanted.get(name);
    wanted.delete(name);
    if (unknown.size > 0 && (unknown.has(owner) || found === undefined)) continue;
    if (!found && world.leftBehind.has(owner)) continue;
    if (!found) problems.push(`ConfigMap ${name} of ${owner} is orphaned: it does not stand in Git`);
    else if (found.owner !== owner) problems.push(`ConfigMap ${name} is ${owner}'s, not ${found.owner}'s`);
    else if ((object.data as { value: string }).value !== found.value)
      problems.push(`ConfigMap ${name} is out of date`);
  }
  for (const [name, { owner }] of wanted)
    if (!unknown.has(owner)) problems.push(`ConfigMap ${name} is missing`);
  // A run that was struck may tell of a commit after it was overtaken.
  return world.wasStruck ? problems : [...problems, ...statusProblems(world)];
}

/** One that is deleted goes, and comes back, only once the other is built: what it holds may have moved there. */
function isHeldBack(world: World, name: string): boolean {
  const broken = brokenAt(world.repository.head);
  const isGoing = kustomizationOf(world, name)?.metadata.deletionTimestamp !== undefined;
  return isGoing && broken !== 'none' && broken !== name;
}

function problemsOf(
  world: World,
  name: string,
  revision: string,
  objects: KubernetesObject[] | undefined,
): string[] {
  const live = kustomizationOf(world, name);
  if (!live) return [`Kustomization ${name} is missing`];
  const { metadata, status = {} } = live;
  const ready = getCondition(status.conditions, 'Ready');
  if (objects === undefined)
    return ready?.status === 'False' &&
      ready.reason === 'BuildFailed' &&
      status.lastAttemptedRevision === revision
      ? []
      : [`Kustomization ${name} does not say that its build fails: ${ready?.reason}`];
  const problems: string[] = [];
  if (ready?.status !== 'True')
    problems.push(`Kustomization ${name} is not ready: ${ready?.reason} ${ready?.message}`);
  if (status.observedGeneration !== metadata.generation)
    problems.push(`Kustomization ${name} has not seen its spec`);
  if (status.lastAppliedRevision !== revision)
    problems.push(`Kustomization ${name} has not applied the head`);
  if (status.lastAttemptedRevision !== revision)
    problems.push(`Kustomization ${name} has tried something else`);
  const held = identities(status.inventory);
  const rendered = objects.map((object) => `${object.kind}/${object.metadata.name}`).sort();
  // While a build fails nothing is pruned: what is missing here may have moved there.
  const isSafe = brokenAt(world.repository.head) === 'none';
  if (isSafe ? held.join() !== rendered.join() : rendered.some((each) => !held.includes(each)))
    problems.push(`the inventory of ${name} holds ${held.join(', ')} instead of ${rendered.join(', ')}`);
  return problems;
}

/** What an inventory holds, by kind and name. */
export function identities(inventory: Inventory | undefined): string[] {
  return (inventory?.entries ?? [])
    .flatMap((entry) => parseEntry(entry) ?? [])
    .map(({ kind, name }) => `${kind}/${name}`)
    .sort();
}

/** The newest wish for the status of each commit. */
export function statusesOf(world: World): Map<string, string> {
  const rows = world.rows.query<{ wanted: WantedStatus }>(
    `outbox#${CLUSTER}#${PROVIDER}`,
    world.scheduler.now,
  );
  return new Map(
    rows
      .map(({ value: { wanted } }) => wanted)
      .filter(({ context }) => context === `slipway/${CLUSTER}`)
      .map(({ commit, state }) => [commit, state]),
  );
}

function statusProblems(world: World): string[] {
  const { head } = world.repository;
  const problems: string[] = [];
  const isFailing = brokenAt(head) !== 'none';
  for (const [commit, state] of statusesOf(world)) {
    const isHead = commit === head.hash;
    // One that waits for a build which fails may be told of by its last run.
    const isHeld = broughtBy(head).some((name) => isHeldBack(world, name));
    if (isHead && !isHeld && state !== (isFailing ? 'failure' : 'success'))
      problems.push(`the head's status is ${state}`);
    if (!isHead && state === 'pending')
      problems.push(`commit ${commit.slice(0, 7)} was overtaken and is pending`);
  }
  return problems;
}
