import type { ObjectRef } from '../../lib/core/object.ts';
import { commitOf, gitRevision } from '../../lib/core/revision.ts';
import { broughtBy, differences, KUSTOMIZE, kustomizationOf, sourceOf } from './expectations.ts';
import { type Content, NAMESPACE } from './repository.ts';
import type { Event, Hook, Story } from './story.ts';
import { Violation, Watcher } from './watcher.ts';
import { CLUSTER, type Plant } from './worker.ts';
import { World } from './world.ts';

const MINUTE = 60_000;

/** More steps than any story takes; one that needs more runs in circles. */
const MAX_STEPS = 30_000;

/** By then every process that was frozen or died is replaced, every message is back and every lease has run out: no sweep is needed for what was sent. */
const REST = 4 * MINUTE;

/** Where all is as it must be, sweeps follow in one of so many stories: they are a third of a story, and most find nothing to do. */
const SWEPT = 4;

/** By then every fault must have healed, in rounds of sweeps. */
const ROUNDS = [1_000, MINUTE, MINUTE, 6 * MINUTE, 11 * MINUTE, 61 * MINUTE, 61 * MINUTE];

const FIRST: Content = {
  value: 0,
  shared: 'base',
  more: { base: false, app: true },
  app: true,
  dependsOn: true,
  broken: 'none',
};

/** A cluster in which a first commit was deployed; each story begins with it. */
export async function prepare(): Promise<World> {
  const world = new World(1, FIRST);
  world.api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (let round = 0; round < 12; round += 1) {
    world.tick();
    await quiet(world, MINUTE);
  }
  const problems = differences(world);
  if (problems.length > 0) throw new Error(`the first commit is not deployed: ${problems.join('; ')}`);
  return world;
}

/** How a story went. */
export interface Outcome {
  violations: string[];
  trace: readonly string[];
  steps: number;
}

/** Plays a story to its end and looks whether everything is as it must be. */
export async function simulate(
  from: World,
  { seed, moments }: Story,
  options: { plant?: Plant; traced?: boolean } = {},
): Promise<Outcome> {
  // Steps are ticks, and would keep everything else out of this process.
  await new Promise<void>((resolve) => void setImmediate(resolve));
  const world = new World(seed, from, options);
  const watcher = new Watcher(world);
  const outcome = () => ({
    violations: watcher.violations,
    trace: world.scheduler.trace ?? [],
    steps: world.scheduler.steps,
  });
  try {
    for (const { steps, event } of moments) {
      await go(world, steps);
      happen(world, watcher, event);
    }
    world.disarm();
    await end(world, watcher, seed % SWEPT === 0);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    watcher.violations.push(error.message);
  }
  return outcome();
}

/** So many steps on, or until nothing is left to do. */
async function go(world: World, steps: number): Promise<void> {
  for (let count = 0; count < steps; count += 1) if (!(await world.step(world.scheduler.now))) return;
}

/** Until nothing is left to do within a time. */
async function quiet(world: World, ms: number): Promise<void> {
  const until = world.scheduler.now + ms;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (await world.step(until)) continue;
    world.scheduler.pass(until - world.scheduler.now);
    return;
  }
  throw new Violation('it runs in circles');
}

/** Everything heals: what waits goes on, what was suspended is resumed, and sweeps come. */
async function end(world: World, watcher: Watcher, isSwept: boolean): Promise<void> {
  await quiet(world, REST);
  watcher.violations.push(...lostWakeUps(world, watcher));
  for (const name of ['base', 'app'])
    if (kustomizationOf(world, name)?.spec.suspend) edit(world, watcher, name, { spec: { suspend: false } });
  let problems = differences(world);
  // What fails is tried again for ever.
  const isAtRest = () => world.isEmpty || world.repository.head.content.broken !== 'none';
  for (const wait of problems.length === 0 && isAtRest() && !isSwept ? [] : ROUNDS) {
    await quiet(world, wait);
    world.tick();
    await quiet(world, 10_000);
    problems = differences(world);
    if (problems.length === 0 && (isAtRest() || wait > MINUTE)) break;
  }
  watcher.violations.push(...problems);
  for (const { body } of [...world.pushes.deadLetters, ...world.jobs.deadLetters])
    watcher.violations.push(`a dead letter: ${body}`);
}

function happen(world: World, watcher: Watcher, event: Event): void {
  const { scheduler, repository, api } = world;
  scheduler.tell(`— ${JSON.stringify(event)}`);
  watcher.byHand = true;
  switch (event.kind) {
    case 'push':
      push(world, event.hook, () => repository.commit(event.content));
      break;
    case 'revert': {
      const commits = repository.commits;
      const older = commits[Math.max(0, commits.length - 1 - event.back)];
      if (older) push(world, event.hook, () => repository.reset(older));
      break;
    }
    case 'tick':
      world.tick();
      break;
    case 'edit':
      api.edit(configMap(event.name), 'kubectl-edit', { data: { value: 'by hand' } });
      break;
    case 'delete':
      api.delete(configMap(event.name));
      break;
    case 'delete-owner':
      api.delete({ group: KUSTOMIZE, kind: 'Kustomization', namespace: NAMESPACE, name: event.name });
      break;
    case 'suspend':
    case 'resume':
      if (event.kind === 'resume' && kustomizationOf(world, event.name)?.spec.suspend)
        watcher.resumedAt.set(event.name, scheduler.now);
      edit(world, watcher, event.name, { spec: { suspend: event.kind === 'suspend' } });
      break;
    case 'request': {
      const annotations = { 'reconcile.fluxcd.io/requestedAt': String(scheduler.now) };
      edit(world, watcher, event.name, { metadata: { annotations } });
      break;
    }
    case 'duplicate':
      world.jobs.duplicate(scheduler.now);
      break;
    case 'wait':
      scheduler.pass(event.ms);
      break;
    default:
      world.arm(event);
  }
  watcher.byHand = false;
}

/** What was sent by then and has come to nothing, without that a sweep has made up for it. */
function lostWakeUps(world: World, watcher: Watcher): string[] {
  if (!world.isEmpty) return [];
  const { artifact } = sourceOf(world)?.status ?? {};
  const problems: string[] = [];
  const { head } = world.repository;
  if (world.lastPushAccepted && artifact?.revision !== gitRevision('main', head.hash))
    problems.push('the push of the head was taken in and has come to nothing');
  const key = 'GitRepository/flux-system/flux-system';
  const sent = world.rows.get<{ commit: string }>(`source-sent#${CLUSTER}`, key, world.scheduler.now)?.value;
  for (const name of broughtBy(head)) {
    const { metadata, spec, status } = kustomizationOf(world, name) ?? {};
    // What somebody deletes by hand, or resumes after the source has passed it over, the next sweep finds.
    if (metadata?.deletionTimestamp !== undefined) continue;
    if ((watcher.resumedAt.get(name) ?? 0) >= watcher.artifactAt) continue;
    if (sent?.commit !== commitOf(artifact?.revision) || !status || spec?.suspend) continue;
    // Where nobody was told of a push, one that was at another revision a moment ago is found by the next sweep.
    const wasBusy = (watcher.triedAt.get(name) ?? 0) >= watcher.artifactAt;
    if (
      status.lastAttemptedRevision !== artifact?.revision &&
      !(wasBusy && (world.wasMissed || world.wasStruck))
    )
      problems.push(`Kustomization ${name} is not at ${artifact?.revision}, which counts as sent`);
  }
  return problems;
}

/** Moves the branch and calls the webhook, if it is called. */
function push(world: World, hook: Hook, move: () => void): void {
  const before = world.repository.head;
  move();
  const { head } = world.repository;
  if (head === before) return;
  world.lastPushAccepted = false;
  if (hook === 'lost') {
    world.wasMissed = true;
    // Nobody is told: the sweep finds it when the source is due.
    world.scheduler.pass(11 * MINUTE);
    world.tick();
  }
  for (let calls = { once: 1, twice: 2, lost: 0 }[hook]; calls > 0; calls -= 1)
    void world.push(head).then((accepted) => {
      if (accepted && world.repository.head === head) world.lastPushAccepted = true;
    });
}

function edit(world: World, watcher: Watcher, name: string, change: Record<string, unknown>): void {
  watcher.byHand = true;
  if (kustomizationOf(world, name))
    world.api.edit(
      { group: KUSTOMIZE, version: 'v1', kind: 'Kustomization', namespace: NAMESPACE, name },
      'flux',
      change,
    );
  watcher.byHand = false;
}

function configMap(name: string): ObjectRef {
  return { group: '', version: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name };
}
