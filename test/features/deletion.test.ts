import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, configMaps, kustomization, yaml } from '../support/fleet-repository.ts';
import { inventoryOf } from '../support/kube-objects.ts';
import { kubeCall } from '../support/kube-request.ts';
import { allowAll } from '../support/service-account.ts';
import { CLUSTER, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

/** A ConfigMap without a namespace: the Kustomization's `targetNamespace` gives it. */
const map = (name: string, data: Record<string, string> = { a: '1' }) => yaml(configMap(name, '', data));

/** A child Kustomization of the team's source. */
function child(team: string, name: string, path: string, spec: Record<string, unknown> = {}): string {
  const source = { kind: 'GitRepository', name: 'app' };
  return yaml(kustomization(name, path, { targetNamespace: team, sourceRef: source, ...spec }, team));
}

async function deleted(team: Team, name: string): Promise<void> {
  await eventually(`${name} is gone`, async () => (await team.kustomization(name)) === undefined);
}

describe('what is deleted, and what is not', () => {
  test('a Kustomization that is deleted takes its objects with it', async () => {
    const team = await stage.team({ 'app/one.yaml': map('one'), 'app/two.yaml': map('two') });
    await team.kustomize('app', './app');
    await team.ready();
    await stage.objects.delete('kustomizations', team.name, 'app');
    await deleted(team, 'app');
    expect(await team.configMaps()).toEqual([]);
  });

  test('with deletionPolicy Orphan, and when suspended, its objects stay', async () => {
    const team = await stage.team({ 'a/one.yaml': map('one'), 'b/two.yaml': map('two') });
    await team.kustomize('a', './a', { deletionPolicy: 'Orphan' });
    await team.kustomize('b', './b');
    await Promise.all([team.ready('a'), team.ready('b')]);
    await stage.objects.patch('kustomizations', team.name, 'b', { spec: { suspend: true } });
    for (const name of ['a', 'b']) await stage.objects.delete('kustomizations', team.name, name);
    await Promise.all([deleted(team, 'a'), deleted(team, 'b')]);
    expect(await team.configMaps()).toEqual(['one', 'two']);
  });

  test('one that vanishes without having been seen in deletion orphans its objects', async () => {
    const team = await stage.team({ 'app/one.yaml': map('one') });
    await team.kustomize('app', './app');
    await team.ready();
    await stage.objects.patch('kustomizations', team.name, 'app', { metadata: { finalizers: null } });
    await stage.objects.delete('kustomizations', team.name, 'app');
    await deleted(team, 'app');
    const key = `Kustomization/${team.name}/app`;
    await eventually('it is forgotten', async () => {
      const { dueTimes, inputs } = stage.slipway.ctx.index;
      return (
        (await dueTimes.get(CLUSTER, key)) === undefined && (await inputs.get(CLUSTER, key)) === undefined
      );
    });
    expect(await team.configMaps()).toEqual(['one']);
  });

  test('a commit that removes an application with its Kustomization deletes it and is green', async () => {
    const team = await stage.team({ 'app/keep.yaml': map('keep'), 'other/gone.yaml': map('gone') });
    await team.push({ 'app/other.yaml': child(team.name, 'other', './other') });
    await team.kustomize('app', './app');
    await Promise.all([team.ready(), team.ready('other')]);
    expect(await team.configMaps()).toEqual(['gone', 'keep']);
    const commit = await team.push({ 'app/other.yaml': null, 'other/gone.yaml': null });
    await team.ready('app', commit);
    await deleted(team, 'other');
    await eventually('the objects are gone', async () => (await team.configMaps()).join() === 'keep');
    await team.status(commit, 'success');
    const { status } = (await team.kustomization()) ?? {};
    expect(inventoryOf({ status } as never)).toEqual([`${team.name}_keep__ConfigMap`]);
  });

  test('a whole tree of Kustomizations is removed by one commit', async () => {
    const team = await stage.team({ 'app/keep.yaml': map('keep') });
    await team.push({
      'app/a.yaml': child(team.name, 'a', './a'),
      'a/b.yaml': child(team.name, 'b', './b'),
      'b/deep.yaml': map('deep'),
    });
    await team.kustomize('app', './app');
    await Promise.all([team.ready(), team.ready('a'), team.ready('b')]);
    const commit = await team.push({ 'app/a.yaml': null, 'a/b.yaml': null, 'b/deep.yaml': null });
    await Promise.all([deleted(team, 'a'), deleted(team, 'b')]);
    await eventually('the objects are gone', async () => (await team.configMaps()).join() === 'keep');
    await team.status(commit, 'success');
  });

  test('an object that moves from one Kustomization to another in one commit is never deleted', async () => {
    const team = await stage.team({
      'a/left.yaml': map('left'),
      'a/stays-a.yaml': map('stays-a'),
      'b/right.yaml': map('right'),
      'b/stays-b.yaml': map('stays-b'),
    });
    await team.kustomize('a', './a');
    await team.kustomize('b', './b');
    await Promise.all([team.ready('a'), team.ready('b')]);
    const before = await Promise.all(['left', 'right'].map(team.uid));
    const commit = await team.push({
      'a/left.yaml': null,
      'b/left.yaml': map('left', { moved: 'yes' }),
      'b/right.yaml': null,
      'a/right.yaml': map('right', { moved: 'yes' }),
    });
    const inventories = await eventually('both have settled', async () => {
      const found = await Promise.all([team.ready('a', commit), team.ready('b', commit)]);
      const ids = found.map(inventoryOf);
      return ids.every(({ length }) => length === 2) && ids;
    });
    expect(inventories).toEqual([
      [`${team.name}_right__ConfigMap`, `${team.name}_stays-a__ConfigMap`],
      [`${team.name}_left__ConfigMap`, `${team.name}_stays-b__ConfigMap`],
    ]);
    expect(await Promise.all(['left', 'right'].map(team.uid))).toEqual(before);
    expect(await team.data('left')).toEqual({ moved: 'yes' });
    await team.status(commit, 'success');
  });

  test('a commit that would delete more than half of ten objects is refused until it is approved', async () => {
    const team = await stage.team({ 'app/maps.yaml': configMaps('map', '', 10) });
    await team.kustomize('app', './app');
    await team.ready();
    const commit = await team.push({ 'app/maps.yaml': configMaps('map', '', 4) });
    const message = await team.failed('PruneFailed');
    expect(message).toContain('more than half of its 10 objects');
    await team.status(commit, 'failure');
    expect(await team.configMaps()).toHaveLength(10);
    const [, digest = ''] = /slipway approve \S+ ([^"\s]+)/.exec(message) ?? [];
    const { createAdmin } = await import('../../lib/pipeline/admin.ts');
    const ref = {
      group: 'kustomize.toolkit.fluxcd.io',
      kind: 'Kustomization',
      namespace: team.name,
      name: 'app',
    };
    await createAdmin(stage.slipway.ctx).approve(CLUSTER, ref, digest);
    await team.ready('app', commit);
    expect(await team.configMaps()).toHaveLength(4);
    await team.status(commit, 'success');
  });

  test('an approval lets nothing go but the render that it names', async () => {
    const team = await stage.team({ 'app/maps.yaml': configMaps('map', '', 12) });
    await team.kustomize('app', './app');
    await team.ready();
    await team.push({ 'app/maps.yaml': configMaps('map', '', 5) });
    const message = await team.failed('PruneFailed', 'app', /half of its 12/);
    const [, digest = ''] = /slipway approve \S+ ([^"\s]+)/.exec(message) ?? [];
    await team.push({ 'app/maps.yaml': configMaps('map', '', 1) });
    const other = await eventually('the other render is refused', async () => {
      const found = await team.failed('PruneFailed');
      return !found.includes(digest) && found;
    });
    expect(other).toContain('map-1,');
    await stage.objects.patch('kustomizations', team.name, 'app', {
      metadata: {
        annotations: { 'slipway.dev/allow-prune': digest, 'reconcile.fluxcd.io/requestedAt': 'now' },
      },
    });
    await eventually('the request is handled', async () => {
      const { status } = (await team.kustomization()) ?? {};
      return status?.lastHandledReconcileAt === 'now';
    });
    expect(await team.configMaps()).toHaveLength(12);
  });

  test('a render that is suddenly empty, a path that is gone and a broken build delete nothing', async () => {
    const team = await stage.team({ 'app/one.yaml': map('one'), 'README.md': 'x' });
    await team.kustomize('app', './app');
    await team.ready();
    const uid = await team.uid('one');
    const empty = await team.push({ 'app/one.yaml': '# nothing any more\n' });
    await team.failed('PruneFailed', 'app', /the render is empty/);
    await team.status(empty, 'failure');
    const gone = await team.push({ 'app/one.yaml': null });
    await team.failed('ArtifactFailed', 'app', /./).catch(() => team.failed('BuildFailed'));
    await team.status(gone, 'failure');
    const broken = await team.push({ 'app/one.yaml': 'a: [' });
    await team.failed('BuildFailed');
    await team.status(broken, 'failure');
    expect(await team.uid('one')).toBe(uid);
    const back = await team.push({ 'app/one.yaml': map('one', { a: '2' }) });
    await team.ready('app', back);
    expect(await team.uid('one')).toBe(uid);
  });

  test('an object whose deletion is refused stays in the inventory and is deleted when it may be', async () => {
    const team = await stage.team({ 'app/one.yaml': map('one'), 'app/two.yaml': map('two') });
    await team.kustomize('app', './app', { retryInterval: '2s' });
    await team.ready();
    await denyDeletion(team.name, true);
    const commit = await team.push({ 'app/two.yaml': null });
    expect(await team.failed('PruneFailed')).toContain('may not be deleted');
    await team.status(commit, 'failure');
    expect(inventoryOf(await team.kustomization())).toContain(`${team.name}_two__ConfigMap`);
    await denyDeletion(team.name, false);
    const after = await team.ready('app', commit);
    expect(inventoryOf(after)).toEqual([`${team.name}_one__ConfigMap`]);
    expect(await team.configMaps()).toEqual(['one']);
    await team.status(commit, 'success');
  });

  test('a Kustomization whose service account is gone can be deleted; its objects stay, and an event says so', async () => {
    const team = await stage.team({ 'app/one.yaml': map('one') });
    await allowAll(stage.objects, team.name, 'deployer');
    await team.kustomize('app', './app', { serviceAccountName: 'deployer' });
    await team.ready();
    await stage.objects.delete('rolebindings', team.name, 'deployer');
    await stage.objects.delete('serviceaccounts', team.name, 'deployer');
    await stage.objects.delete('kustomizations', team.name, 'app');
    await deleted(team, 'app');
    expect(await team.configMaps()).toEqual(['one']);
  });
});

/** An admission policy that denies every deletion of ConfigMaps in a namespace, or its removal. */
async function denyDeletion(namespace: string, deny: boolean): Promise<void> {
  const base = '/apis/admissionregistration.k8s.io/v1';
  const at = {
    policy: `${base}/validatingadmissionpolicies`,
    binding: `${base}/validatingadmissionpolicybindings`,
  };
  const { kubernetes, objects } = stage;
  if (deny) {
    await kubeCall(kubernetes, 'POST', at.policy, {
      metadata: { name: namespace },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] },
          ],
        },
        validations: [{ expression: 'false', message: 'it may not be deleted' }],
      },
    });
    await kubeCall(kubernetes, 'POST', at.binding, {
      metadata: { name: namespace },
      spec: { policyName: namespace, validationActions: ['Deny'] },
    });
  } else {
    await kubeCall(kubernetes, 'DELETE', `${at.binding}/${namespace}`);
    await kubeCall(kubernetes, 'DELETE', `${at.policy}/${namespace}`);
  }
  // The server's own view of its policies follows a moment later.
  await eventually(`deletions are ${deny ? 'denied' : 'allowed'}`, async () => {
    await objects
      .create('configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'probe', namespace },
      })
      .catch(() => undefined);
    return ((await objects.delete('configmaps', namespace, 'probe')).status === 200) !== deny;
  });
}
