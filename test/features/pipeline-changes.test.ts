import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, kustomization, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { STATUS, type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

describe('changes in the cluster', () => {
  test('by hand are corrected within a sweep, and what nobody touched is not written', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a'), 'app/b.yaml': map('b'), 'app/c.yaml': map('c') });
    await team.kustomize('app', './app');
    await team.ready();
    const untouched = await stage.objects.get('configmaps', team.name, 'c');
    await stage.objects.patch('configmaps', team.name, 'a', { data: { value: 'by hand' } });
    await stage.objects.delete('configmaps', team.name, 'b');
    await eventually('both are back', async () => {
      const [a, b] = await Promise.all([team.data('a'), team.data('b')]);
      return a?.value === '1' && b?.value === '1';
    });
    const after = await stage.objects.get('configmaps', team.name, 'c');
    expect(after?.metadata.resourceVersion).toBe(untouched?.metadata.resourceVersion);
  });

  test('a Kustomization that a commit brings has its part in the status of that commit', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    const spec = { targetNamespace: team.name, sourceRef: { kind: 'GitRepository', name: 'app' } };
    const child = yaml(kustomization('child', './nowhere', spec, team.name));
    const bad = await team.push({ 'app/child.yaml': child });
    await team.status(bad, 'failure');
    const own = `${STATUS}/Kustomization/${team.name}/child`;
    await eventually('it has a status of its own', async () => {
      return (await team.repository.statuses(bad)).some(({ context }) => context === own);
    });
    const history = await team.repository.statusHistory(bad);
    expect(history.filter(({ status }) => status === 'success')).toEqual([]);
    const good = await team.push({ 'nowhere/b.yaml': map('b') });
    await team.status(good, 'success');
    expect(await team.configMaps()).toEqual(['a', 'b']);
  });

  test('a suspended Kustomization keeps what it has, its commit does not wait for it, and it catches up when resumed', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a'), 'other/b.yaml': map('b') });
    await team.kustomize('app', './app');
    await team.kustomize('other', './other');
    await Promise.all([team.ready('app'), team.ready('other')]);
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { suspend: true } });
    const commit = await team.push({ 'app/a.yaml': map('a', '2'), 'other/b.yaml': map('b', '2') });
    await team.ready('other', commit);
    await team.status(commit, 'success');
    expect(await team.data('a')).toEqual({ value: '1' });
    await stage.objects.patch('configmaps', team.name, 'a', { data: { value: 'mine' } });
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { suspend: false } });
    await team.ready('app', commit);
    expect(await team.data('a')).toEqual({ value: '2' });
  });

  test('one that is suspended while its commit is pending does not leave it pending', async () => {
    const team = await stage.team({ 'base/a.yaml': 'a: [', 'app/a.yaml': map('a') });
    await team.kustomize('app', './app', { dependsOn: [{ name: 'missing' }] });
    await team.failed('DependencyNotReady');
    const commit = await team.push({ 'app/a.yaml': map('a', '2') });
    await team.status(commit, 'pending');
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { suspend: true } });
    await team.status(commit, 'success');
  });

  test('a suspended source does not follow pushes until it is resumed', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    const first = await team.ready();
    await stage.objects.patch('gitrepositories', team.name, 'app', { spec: { suspend: true } });
    await eventually('nobody listens to its pushes', async () => {
      const host = new URL(stage.gitea.url).host;
      const path = `${team.repository.owner}/${team.name}`.toLowerCase();
      return (await stage.slipway.ctx.index.subscriptions.find(`${host}/${path}`)).length === 0;
    });
    const commit = await team.push({ 'app/a.yaml': map('a', '2') });
    await stage.objects.patch('kustomizations', team.name, 'app', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'while suspended' } },
    });
    const handled = await eventually('the request is handled', async () => {
      const found = await team.kustomization();
      return found?.status?.lastHandledReconcileAt === 'while suspended' && found;
    });
    expect(handled.status?.lastAppliedRevision).toBe(first.status?.lastAppliedRevision);
    await stage.objects.patch('gitrepositories', team.name, 'app', { spec: { suspend: null } });
    await team.ready('app', commit);
  });

  test('a run that is asked for happens at once and is noted as handled', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    for (const plural of ['gitrepositories', 'kustomizations'] as const) {
      await stage.objects.patch(plural, team.name, 'app', {
        metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': `now ${plural}` } },
      });
      await eventually(`the request on ${plural} is handled`, async () => {
        const { status } = (await stage.objects.get(plural, team.name, 'app')) ?? {};
        return status?.lastHandledReconcileAt === `now ${plural}`;
      });
    }
  });

  test('an edited Kustomization is applied at once, and an invalid one says which field', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a'), 'next/b.yaml': map('b') });
    await team.kustomize('app', './app');
    await team.ready();
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { path: './next' } });
    await eventually('the other path is applied', async () => (await team.configMaps()).join() === 'b');
    await stage.objects.patch('kustomizations', team.name, 'app', {
      spec: { dependsOn: [{ name: 'x', readyExpr: '!!(' }] },
    });
    const stalled = await eventually('it says what is wrong', async () => {
      const found = await team.kustomization();
      return conditionOf(found)?.status === 'False' && found;
    });
    expect(conditionOf(stalled)?.message).toMatch(/readyExpr|does not exist/);
    expect(await team.configMaps()).toEqual(['b']);
  });

  test('values of substituteFrom that change are applied at the interval, a missing one is named', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: substituted by the Kustomization
    const team = await stage.team({ 'app/a.yaml': map('a', '${colour}') });
    const substituteFrom = [{ kind: 'ConfigMap', name: 'settings' }];
    await team.kustomize('app', './app', {
      interval: '5s',
      retryInterval: '2s',
      postBuild: { substituteFrom },
    });
    expect(await team.failed('BuildFailed')).toContain(`ConfigMap/${team.name}/settings`);
    await stage.objects.create('configmaps', {
      ...configMap('settings', team.name, { colour: 'blue' }),
    } as never);
    await team.ready();
    expect(await team.data('a')).toEqual({ value: 'blue' });
    await stage.objects.patch('configmaps', team.name, 'settings', { data: { colour: 'red' } });
    await eventually('the new value is applied', async () => (await team.data('a'))?.value === 'red');
  });

  test('a range of versions follows the newest tag, and a tag that is out of it changes nothing and gets no status', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') }, { source: { ref: { semver: '1.x' } } });
    const base = `/repos/${team.repository.owner}/${team.name}`;
    const tag = (name: string, target: string) =>
      stage.gitea.api('POST', `${base}/tags`, { tag_name: name, target, message: name });
    await team.kustomize('app', './app');
    const first = await team.repository.head();
    await tag('v1.0.0', first);
    const ready = await team.ready('app', first);
    expect(ready.status?.lastAppliedRevision).toBe(`v1.0.0@sha1:${first}`);
    const outside = await team.push({ 'app/a.yaml': map('a', 'next major') });
    await tag('v2.0.0', outside);
    const inside = await team.push({ 'app/a.yaml': map('a', '2') });
    await tag('v1.1.0', inside);
    await team.ready('app', inside);
    expect(await team.data('a')).toEqual({ value: '2' });
    await team.status(inside, 'success');
    expect((await team.repository.statuses(outside)).filter(({ context }) => context === STATUS)).toEqual([]);
  });

  test('two sources of the same commit share its status, and the failure of one is not hidden by the other', async () => {
    const team = await stage.team({ 'good/a.yaml': map('a'), 'bad/b.yaml': map('b') });
    const other = await stage.objects.get('gitrepositories', team.name, 'app');
    await stage.objects.create('gitrepositories', {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'second', namespace: team.name },
      spec: other?.spec,
    });
    await team.kustomize('good', './good');
    const source = { kind: 'GitRepository', name: 'second' };
    await stage.objects.create(
      'kustomizations',
      kustomization('bad', './bad', { targetNamespace: team.name, sourceRef: source }, team.name),
    );
    await Promise.all([team.ready('good'), team.ready('bad')]);
    const commit = await team.push({ 'good/a.yaml': map('a', '2'), 'bad/b.yaml': 'a: [' });
    await Promise.all([team.ready('good', commit), team.failed('BuildFailed', 'bad')]);
    await team.status(commit, 'failure');
    const mended = await team.push({ 'good/a.yaml': map('a', '3'), 'bad/b.yaml': map('b', '3') });
    await team.status(mended, 'success');
    expect([await team.data('a'), await team.data('b')]).toEqual([{ value: '3' }, { value: '3' }]);
  });
});
