import type { KubernetesObject, ObjectRef } from '../../lib/core/object.ts';
import { commitOf } from '../../lib/core/revision.ts';
import {
  broughtBy,
  identities,
  KUSTOMIZE,
  kustomizationOf,
  type Live,
  renderingOf,
  sourceOf,
} from './expectations.ts';
import type { Effect } from './modelled-api.ts';
import type { Process } from './scheduler.ts';
import { sights } from './sight.ts';
import { CLUSTER } from './worker.ts';
import type { World } from './world.ts';

/** How long a look at a lease is good for, as `lib/pipeline/lease.ts` has it, in ms. */
const LOOK_MS = 1_000;

/** So long one may take from looking at the source, and at what it may delete, until it does, in ms. */
const JUDGED_MS = 5_000;

/** Something that must never happen. */
export class Violation extends Error {}

/** Looks at every write, and says what must not have been. */
export class Watcher {
  readonly violations: string[] = [];
  /** True while a person writes, who may do anything. */
  byHand = false;
  /** When the source came to the artifact that it has: epoch in ms. */
  artifactAt = 0;
  /** When each Kustomization came to the revision that it has tried last: epoch in ms. */
  readonly triedAt = new Map<string, number>();
  /** When somebody has resumed each Kustomization: epoch in ms. */
  readonly resumedAt = new Map<string, number>();
  /** When each Kustomization was gone: epoch in ms. */
  readonly #goneAt = new Map<string, number>();
  readonly #world: World;
  /** Who has taken the lease of an object, and when. */
  readonly #held = new Map<string, { holder: string; since: number }>();

  constructor(world: World) {
    this.#world = world;
    world.api.onEffect = (effect) => this.#onEffect(effect);
    world.rows.onPut = (partition, sort, value) => this.#onRow(partition, sort, value);
    world.onSent = (process, verb, ref, object) => this.#onSent(process, verb, ref, object);
  }

  #onRow(partition: string, sort: string, value: unknown): void {
    if (partition !== `leases#${CLUSTER}`) return;
    const { holder } = value as { holder: string };
    if (this.#held.get(sort)?.holder !== holder)
      this.#held.set(sort, { holder, since: this.#world.scheduler.now });
  }

  /** No write is sent for an object whose lease another worker has taken, but for what the last look still covers. */
  #onSent(process: Process, verb: string, ref: ObjectRef, object: KubernetesObject | undefined): void {
    if (verb !== 'apply' && verb !== 'delete') return;
    const owner = ownerOf(object ?? this.#world.api.get(ref));
    const key = `Kustomization/${ref.namespace}/${owner}`;
    const held = this.#held.get(`${CLUSTER}/${key}`);
    if (!held || held.holder === process.name || this.#world.scheduler.now - held.since <= LOOK_MS) return;
    this.#found(
      `${process.name} sends ${verb} ${ref.kind}/${ref.name} though ${held.holder} has taken the lease of ${key}`,
    );
  }

  #onEffect({ before, after }: Effect): void {
    if (this.byHand) return;
    const object = after ?? before;
    if (object?.kind === 'GitRepository' && revisionOf(before) !== revisionOf(after))
      this.artifactAt = this.#world.scheduler.now;
    if (object?.kind === 'Kustomization' && triedBy(before) !== triedBy(after))
      this.triedAt.set(object.metadata.name, this.#world.scheduler.now);
    if (object?.kind === 'Kustomization' && !after)
      this.#goneAt.set(object.metadata.name, this.#world.scheduler.now);
    if (object?.kind === 'Kustomization' && !after && (before as Live).spec.suspend === true)
      this.#world.leftBehind.add(object.metadata.name);
    if (object?.kind !== 'ConfigMap') return;
    if (!before) this.#onCreated(object);
    if (!after) this.#onDeleted(object);
  }

  /** What is applied stands in an inventory before it is. */
  #onCreated(object: KubernetesObject): void {
    const owner = ownerOf(object) ?? '';
    const live = kustomizationOf(this.#world, owner);
    if (live && !identities(live.status?.inventory).includes(`ConfigMap/${object.metadata.name}`))
      this.#found(`ConfigMap ${object.metadata.name} was created and is not in the inventory of ${owner}`);
  }

  /**
   * What stands in Git is not deleted, whoever applies it there: at the revision at which the run has just found the source, once it had
   * applied its own, and otherwise at the one that its owner has come to.
   */
  #onDeleted(object: KubernetesObject): void {
    const owner = ownerOf(object) ?? '';
    const live = kustomizationOf(this.#world, owner);
    const source = sourceOf(this.#world)?.status?.artifact?.revision;
    const isGoing = live?.metadata.deletionTimestamp !== undefined;
    const revision = this.#justSeen() ?? live?.status?.lastAttemptedRevision;
    const commit = this.#world.repository.at(commitOf(isGoing ? source : revision));
    if (!live || !commit) return;
    // One that is deleted looks at the source first, which may move on before its deletes are sent.
    if (isGoing && this.#world.scheduler.now - this.artifactAt <= JUDGED_MS) return;
    // One that is deleted by hand does not wait for what is built only after it was made anew, nor for another that was going when it looked.
    const waits = (name: string) =>
      name === owner ||
      commit.content.dependsOn ||
      kustomizationOf(this.#world, name)?.metadata.deletionTimestamp ||
      this.#world.scheduler.now - (this.#goneAt.get(name) ?? 0) <= JUDGED_MS;
    // Nor does anybody wait for one that was suspended when it was looked at.
    const isSuspended = (name: string) =>
      kustomizationOf(this.#world, name)?.spec.suspend === true ||
      this.#world.scheduler.now - (this.resumedAt.get(name) ?? 0) <= JUDGED_MS;
    const holders = broughtBy(commit).filter((name) => !isSuspended(name) && !(isGoing && waits(name)));
    for (const name of holders)
      if (
        renderingOf(commit, name)?.some(
          (each) => each.kind === 'ConfigMap' && each.metadata.name === object.metadata.name,
        )
      )
        this.#found(
          `ConfigMap ${object.metadata.name} was deleted by ${owner}, and stands in Git in ${name}`,
        );
  }

  #justSeen(): string | undefined {
    const { revision, at = 0 } = sights.getStore() ?? {};
    return this.#world.scheduler.now - at <= JUDGED_MS ? revision : undefined;
  }

  #found(text: string): void {
    this.#world.scheduler.tell(`VIOLATION ${text}`);
    this.violations.push(text);
  }
}

function revisionOf(object: KubernetesObject | undefined): string | undefined {
  return (object as Live | undefined)?.status?.artifact?.revision;
}

function triedBy(object: KubernetesObject | undefined): string | undefined {
  return (object as Live | undefined)?.status?.lastAttemptedRevision;
}

function ownerOf(object: KubernetesObject | undefined): string | undefined {
  return object?.metadata.labels?.[`${KUSTOMIZE}/name`];
}
