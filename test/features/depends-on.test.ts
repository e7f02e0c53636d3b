import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf, isReadyAt } from '../support/kube-objects.ts';
import { type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));
const CHAIN = ['one', 'two', 'three', 'four'];

async function chain(): Promise<Team> {
  const team = await stage.team(Object.fromEntries(CHAIN.map((name) => [`${name}/map.yaml`, map(name)])));
  // The last one first: each of them has to wait.
  for (const [index, name] of [...CHAIN.entries()].reverse()) {
    const dependsOn = index === 0 ? {} : { dependsOn: [{ name: CHAIN[index - 1] }] };
    // Far longer than the test: nothing but being released can bring them.
    await team.kustomize(name, `./${name}`, { retryInterval: '10m', ...dependsOn });
  }
  return team;
}

/** The runs of a team that applied something at a commit, in the order they began. */
async function order(team: Team, commit: string): Promise<string[]> {
  const runs = await stage.slipway.ctx.index.runs.list({ cluster: 'production', limit: 500 });
  return runs
    .filter(({ object, revision, changes, result }) => {
      const own = object.namespace === team.name && object.kind === 'Kustomization';
      return own && result === 'success' && changes.length > 0 && revision?.endsWith(commit);
    })
    .sort((left, right) => left.startedAt - right.startedAt)
    .map(({ object }) => object.name);
}

/** Waits for the last run, which is recorded once its object says that it is ready. */
async function inOrder(team: Team, commit: string): Promise<void> {
  await eventually('all runs are recorded', async () => (await order(team, commit)).length === CHAIN.length);
  expect(await order(team, commit)).toEqual(CHAIN);
}

describe('dependsOn', () => {
  test('releases a chain of four link by link, in its order, without waiting for an interval', async () => {
    const team = await chain();
    const began = Date.now();
    for (const name of CHAIN) await team.ready(name);
    expect(Date.now() - began).toBeLessThan(60_000);
    await inOrder(team, await team.repository.head());
    const commit = await team.push(
      Object.fromEntries(CHAIN.map((name) => [`${name}/map.yaml`, map(name, '2')])),
    );
    for (const name of CHAIN) await team.ready(name, commit);
    await inOrder(team, commit);
    await team.status(commit, 'success');
  });

  test('holds back what depends on a failure, names it, and lets it go when that is mended', async () => {
    const team = await stage.team({ 'base/map.yaml': 'a: [', 'app/map.yaml': map('app') });
    await team.kustomize('base', './base');
    await team.kustomize('app', './app', { dependsOn: [{ name: 'base' }] });
    await team.failed('BuildFailed', 'base');
    expect(await team.failed('DependencyNotReady', 'app')).toContain(`Kustomization/${team.name}/base`);
    expect(await team.configMaps()).toEqual([]);
    const commit = await team.push({ 'base/map.yaml': map('base') });
    await Promise.all([team.ready('base', commit), team.ready('app', commit)]);
    expect(await team.configMaps()).toEqual(['app', 'base']);
    await team.status(commit, 'success');
  });

  test('on something that does not exist yet is released when it comes', async () => {
    const team = await stage.team({ 'base/map.yaml': map('base'), 'app/map.yaml': map('app') });
    await team.kustomize('app', './app', { dependsOn: [{ name: 'base' }] });
    expect(await team.failed('DependencyNotReady', 'app')).toContain('does not exist');
    await team.kustomize('base', './base');
    await team.ready('app');
  });

  test('compares revisions: a commit reaches the dependant only after the dependency, though only one of them changes', async () => {
    const team = await stage.team({ 'base/map.yaml': map('base'), 'app/map.yaml': map('app') });
    await team.kustomize('base', './base');
    await team.kustomize('app', './app', { dependsOn: [{ name: 'base' }] });
    await Promise.all([team.ready('base'), team.ready('app')]);
    const onlyApp = await team.push({ 'app/map.yaml': map('app', '2') });
    await Promise.all([team.ready('base', onlyApp), team.ready('app', onlyApp)]);
    expect(await team.data('app')).toEqual({ value: '2' });
    const onlyBase = await team.push({ 'base/map.yaml': map('base', '2') });
    await Promise.all([team.ready('base', onlyBase), team.ready('app', onlyBase)]);
    const broken = await team.push({ 'base/map.yaml': 'a: [', 'app/map.yaml': map('app', '3') });
    await team.failed('BuildFailed', 'base');
    await team.failed('DependencyNotReady', 'app');
    expect(await team.data('app')).toEqual({ value: '2' });
    await team.status(broken, 'failure');
  });

  test('with a readyExpr goes by what it says', async () => {
    const team = await stage.team({ 'base/map.yaml': map('base'), 'app/map.yaml': map('app') });
    await team.kustomize('base', './base');
    const readyExpr = "has(dep.metadata.labels) && dep.metadata.labels['gate'] == 'open'";
    await team.kustomize('app', './app', { dependsOn: [{ name: 'base', readyExpr }], retryInterval: '2s' });
    await team.ready('base');
    expect(await team.failed('DependencyNotReady', 'app')).toContain(readyExpr);
    await stage.objects.patch('kustomizations', team.name, 'base', {
      metadata: { labels: { gate: 'open' } },
    });
    await team.ready('app');
  });

  test('in a circle says so and stops nobody else', async () => {
    const team = await stage.team({ 'a/map.yaml': map('a'), 'b/map.yaml': map('b'), 'c/map.yaml': map('c') });
    await team.kustomize('a', './a', { dependsOn: [{ name: 'b' }] });
    await team.kustomize('b', './b', { dependsOn: [{ name: 'a' }] });
    await team.kustomize('c', './c');
    await team.ready('c');
    // In words that do not grow, though each tells what the other says.
    await Promise.all(
      ['a', 'b'].map((name) => team.failed('DependencyNotReady', name, /^.* waits for .* in turn: .{0,70}$/)),
    );
    await team.kustomize('self', './c', { dependsOn: [{ name: 'self' }] });
    await team.failed('DependencyNotReady', 'self', /^dependency \S+ waits for \S+ in turn/);
    const commit = await team.push({ 'c/map.yaml': map('c', '2') });
    await team.ready('c', commit);
    const { status } = (await team.kustomization('a')) ?? {};
    expect(isReadyAt({ status } as never)).toBe(false);
    expect(conditionOf({ status } as never, 'Stalled')).toBeUndefined();
    await eventually('c has applied', async () => (await team.data('c'))?.value === '2');
  });
});
