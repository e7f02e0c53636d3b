import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf, type ToolkitObject } from '../support/kube-objects.ts';
import { type Stage, startStage, type Team } from '../support/stage.ts';

// Without a controller-manager nobody but the test writes the status of a Deployment.
let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

function deployment(image: string): string {
  const labels = { app: 'web' };
  return yaml({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  });
}

/** Says of the Deployment what its controller would say once it is rolled out. */
async function rollOut(team: Team): Promise<void> {
  const live = await eventually('the Deployment is there', () =>
    stage.objects.get<ToolkitObject>('deployments', team.name, 'web'),
  );
  const { generation } = live.metadata;
  await stage.objects.patch(
    'deployments',
    team.name,
    'web',
    {
      status: {
        observedGeneration: generation,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [
          { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
          { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
        ],
      },
    },
    'status',
  );
}

async function waiting(team: Team, commit: string): Promise<void> {
  await eventually('the Deployment is waited for', async () => {
    const found = await team.kustomization();
    const ready = conditionOf(found);
    return (
      found?.status?.lastAttemptedRevision?.endsWith(commit) &&
      ready?.status === 'Unknown' &&
      ready.message.includes(`Deployment/${team.name}/web`)
    );
  });
}

describe('wait and healthChecks', () => {
  test('hold the commit at pending until what was applied is healthy', async () => {
    const team = await stage.team({ 'app/web.yaml': deployment('web:1') });
    await team.kustomize('app', './app', { wait: true, timeout: '5m' });
    const commit = await team.repository.head();
    await waiting(team, commit);
    await team.status(commit, 'pending');
    await rollOut(team);
    const ready = await team.ready('app', commit);
    expect(conditionOf(ready, 'Healthy')).toMatchObject({ status: 'True' });
    await team.status(commit, 'success');
  });

  test('fail at the timeout, name what is not ready, stay red while it is tried again, and turn green when it is', async () => {
    const team = await stage.team({ 'app/web.yaml': deployment('web:1') });
    await team.kustomize('app', './app', { wait: true, timeout: '3s', retryInterval: '2s' });
    const commit = await team.repository.head();
    const message = await team.failed('HealthCheckFailed');
    expect(message).toContain(`Deployment/${team.name}/web`);
    await team.status(commit, 'failure');
    const seen = (await team.repository.statusHistory(commit)).length;
    await waiting(team, commit);
    const history = (await team.repository.statusHistory(commit)).slice(seen);
    expect(history.filter(({ status }) => status === 'pending')).toEqual([]);
    await rollOut(team);
    await team.ready('app', commit);
    await team.status(commit, 'success');
  });

  test('are given up for a newer commit at once', async () => {
    const team = await stage.team({ 'app/web.yaml': deployment('web:1') });
    await team.kustomize('app', './app', { wait: true, timeout: '10m' });
    const first = await team.repository.head();
    await waiting(team, first);
    const second = await team.push({ 'app/web.yaml': deployment('web:2') });
    await waiting(team, second);
    await rollOut(team);
    await team.ready('app', second);
    await team.status(second, 'success');
    const [status] = await team.repository.statuses(first);
    expect(status?.status).not.toBe('pending');
    expect(status?.description).toContain(second.slice(0, 8));
  });

  test('hold back what depends on them', async () => {
    const team = await stage.team({
      'base/web.yaml': deployment('web:1'),
      'app/map.yaml': yaml(configMap('app', '', { a: '1' })),
    });
    await team.kustomize('base', './base', {
      healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: team.name }],
    });
    await team.kustomize('app', './app', { dependsOn: [{ name: 'base' }], retryInterval: '10m' });
    await team.failed('DependencyNotReady', 'app');
    await eventually('the Deployment is there', () => stage.objects.get('deployments', team.name, 'web'));
    expect(await team.configMaps()).toEqual([]);
    await rollOut(team);
    await team.ready('base');
    await team.ready('app');
  });

  test('go by the expressions that the Kustomization has for a kind', async () => {
    const team = await stage.team({ 'app/map.yaml': yaml(configMap('job', '', { state: 'running' })) });
    const state = (is: string) => `data.state == '${is}'`;
    const expressions = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      current: state('done'),
      failed: state('broken'),
    };
    await team.kustomize('app', './app', { wait: true, timeout: '5m', healthCheckExprs: [expressions] });
    const first = await team.repository.head();
    await eventually('it is waited for', async () => {
      const ready = conditionOf(await team.kustomization());
      return ready?.status === 'Unknown' && ready.message.includes(`ConfigMap/${team.name}/job`);
    });
    await team.status(first, 'pending');
    await team.push({ 'app/map.yaml': yaml(configMap('job', '', { state: 'broken' })) });
    expect(await team.failed('HealthCheckFailed')).toContain(`ConfigMap/${team.name}/job status: 'Failed'`);
    const last = await team.push({ 'app/map.yaml': yaml(configMap('job', '', { state: 'done' })) });
    await team.ready('app', last);
    await team.status(last, 'success');
  });

  test('say which expression cannot be read, and wait for somebody to mend it', async () => {
    const team = await stage.team({ 'app/map.yaml': yaml(configMap('job', '', { state: 'running' })) });
    const expressions = { apiVersion: 'v1', kind: 'ConfigMap', current: 'data.state ==' };
    await team.kustomize('app', './app', { wait: true, healthCheckExprs: [expressions] });
    expect(await team.failed('InvalidCELExpression')).toContain('data.state ==');
    const stalled = conditionOf(await team.kustomization(), 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'InvalidCELExpression' });
    await team.status(await team.repository.head(), 'failure');
  });
});
