import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconcileJob } from '../../lib/pipeline/enqueue.ts';
import { noteIfNew } from '../../lib/pipeline/new-objects.ts';
import { objectKey } from '../../lib/pipeline/object-key.ts';
import { reconcile } from '../../lib/pipeline/reconcile.ts';
import { FINALIZER } from '../../lib/toolkit/annotations.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { CLUSTER, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const GROUP = 'kustomize.toolkit.fluxcd.io';
const map = (name: string) => yaml(configMap(name, '', { a: '1' }));

/** A Kustomization that nothing reconciles as yet, and that is kept in mind as it would be had a sweep listed it before it was suspended. */
async function seenBefore(team: Team): Promise<void> {
  await team.kustomize('app', './a', { suspend: true });
  const seen = await team.kustomization();
  if (!seen) throw new Error('the Kustomization is not there');
  await stage.objects.patch('kustomizations', team.name, 'app', { metadata: { labels: { changed: 'yes' } } });
  const { ctx } = stage.slipway;
  const { suspend: _, ...spec } = seen.spec as Record<string, unknown>;
  noteIfNew(await ctx.cluster(CLUSTER), {
    ...seen,
    apiVersion: `${GROUP}/v1`,
    kind: 'Kustomization',
    spec,
  });
}

async function run(team: Team): Promise<void> {
  const { ctx } = stage.slipway;
  const ref = { group: GROUP, kind: 'Kustomization', namespace: team.name, name: 'app' };
  expect(await reconcile(ctx, reconcileJob(ctx, CLUSTER, ref, 'due')), objectKey(ref)).toBe('done');
}

describe('the first run of an object', () => {
  test('leaves it alone when it was suspended after it was listed', async () => {
    const team = await stage.team({ 'a/one.yaml': map('one') });
    await seenBefore(team);
    await run(team);
    const live = await team.kustomization();
    expect(live?.metadata.finalizers ?? []).not.toContain(FINALIZER);
    expect(live?.status?.conditions).toBeUndefined();
    expect(await team.configMaps()).toEqual([]);
  });

  test('applies what it has become when it was changed after it was listed', async () => {
    const team = await stage.team({ 'a/one.yaml': map('one'), 'b/two.yaml': map('two') });
    await seenBefore(team);
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { path: './b', suspend: false } });
    await team.ready();
    expect(await team.configMaps()).toEqual(['two']);
  });

  test('does nothing when it was deleted after it was listed', async () => {
    const team = await stage.team({ 'a/one.yaml': map('one') });
    await seenBefore(team);
    await stage.objects.delete('kustomizations', team.name, 'app');
    await run(team);
    expect(await team.kustomization()).toBeUndefined();
    expect(await team.configMaps()).toEqual([]);
  });

  test('applies nothing of one that was deleted and made anew under its name', async () => {
    const team = await stage.team({ 'a/one.yaml': map('one'), 'b/two.yaml': map('two') });
    await seenBefore(team);
    await stage.objects.delete('kustomizations', team.name, 'app');
    await team.kustomize('app', './b');
    await team.ready();
    expect(await team.configMaps()).toEqual(['two']);
  });
});
