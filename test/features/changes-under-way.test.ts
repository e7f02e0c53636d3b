import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReconcileError } from '../../lib/core/errors.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { REQUESTED_AT } from '../../lib/toolkit/annotations.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { type Stage, startStage } from '../support/stage.ts';

/** Called before each build of a namespace. */
const before = new Map<string, () => Promise<void>>();

let stage: Stage;
beforeAll(async () => {
  const wrap = (ctx: Context): Context => ({
    ...ctx,
    engine: {
      ...ctx.engine,
      async build(request, context) {
        await before.get(context.tenant.split('/')[1] ?? '')?.();
        return ctx.engine.build(request, context);
      },
    },
  });
  stage = await startStage({ wrap });
});
afterAll(() => stage?.stop());

describe('what comes while a run is under way', () => {
  test('a request and an edit are not taken for handled when that run gives up', async () => {
    const team = await stage.team({
      'a/one.yaml': yaml(configMap('one', '', {})),
      'b/two.yaml': yaml(configMap('two', '', {})),
    });
    let builds = 0;
    let seen: Awaited<ReturnType<typeof team.kustomization>>;
    before.set(team.name, async () => {
      builds += 1;
      if (builds === 1) {
        await stage.objects.patch('kustomizations', team.name, 'app', {
          metadata: { annotations: { [REQUESTED_AT]: 'now' } },
          spec: { path: './b' },
        });
        throw new ReconcileError('BuildFailed', 'broken for good', { outcome: 'stall' });
      }
      seen ??= await team.kustomization();
    });
    await team.kustomize('app', './a');
    await team.ready();
    expect(conditionOf(seen)?.message).toMatch('broken for good');
    expect(seen?.metadata.generation).toBe(2);
    expect(seen?.status?.observedGeneration).toBe(1);
    expect(seen?.status?.lastHandledReconcileAt).toBeUndefined();
    await eventually('the request is handled', async () => {
      return (await team.kustomization())?.status?.lastHandledReconcileAt === 'now';
    });
    expect(await team.configMaps()).toEqual(['two']);
  });

  test('a commit that brings back what that run is about to delete is in time: nothing is deleted', async () => {
    const two = yaml(configMap('two', '', {}));
    const team = await stage.team({ 'a/one.yaml': yaml(configMap('one', '', {})), 'a/two.yaml': two });
    await team.kustomize('app', './a');
    await team.ready();
    const uid = await team.uid('two');
    const restored = Promise.withResolvers<string>();
    before.set(team.name, async () => {
      before.delete(team.name);
      const commit = await team.push({ 'a/two.yaml': two });
      await eventually('the source has moved on', async () => {
        const source = await stage.objects.get('gitrepositories', team.name, 'app');
        return source?.status?.artifact?.revision.endsWith(commit);
      });
      restored.resolve(commit);
    });
    await team.push({ 'a/two.yaml': null });
    await team.ready('app', await restored.promise);
    expect(await team.uid('two')).toBe(uid);
    expect(await team.configMaps()).toEqual(['one', 'two']);
  });
});
