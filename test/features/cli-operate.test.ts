import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunRecord } from '../../lib/store/runs.ts';
import { runCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { WEBHOOK_SECRET } from '../support/slipway.ts';
import { CLUSTER, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

/** A command beside the server that runs. */
function slipway(...args: string[]) {
  const { fleet } = stage.slipway.open;
  return runCli([...args, '--config', fleet.path], { cwd: fleet.baseDirectory });
}

async function versions(team: Team): Promise<Record<string, string | undefined>> {
  const names = await team.configMaps();
  const all = await Promise.all(names.map((name) => stage.objects.get('configmaps', team.name, name)));
  return Object.fromEntries(all.map((object, index) => [names[index], object?.metadata.resourceVersion]));
}

describe('beside a running server', () => {
  test('reconcile asks for a run, waits for its end and tells it; the exit code says whether it went well', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    const good = await slipway('reconcile', `ks/${team.name}/app`, '--with-source');
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toContain(`${CLUSTER}: GitRepository/${team.name}/app requested\n`);
    expect(good.stdout).toMatch(/Kustomization\/\S+\/app Applied revision: main@sha1:/);
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { path: './gone' } });
    const bad = await slipway('reconcile', `ks/${team.name}/app`);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/ArtifactFailed: .*gone/);
  });

  test('history and get runs tell who deployed what, when, and how long each step took', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    const commit = await team.push({ 'app/a.yaml': map('a', '2') });
    await team.ready('app', commit);
    const runs = await eventually('the run is recorded', async () => {
      const { stdout } = await slipway('history', `ks/${team.name}/app`, '-o', 'json');
      const found = JSON.parse(stdout) as RunRecord[];
      return found.some(({ origin }) => origin?.commit === commit) && found;
    });
    const run = runs.find(({ origin }) => origin?.commit === commit);
    expect(run).toMatchObject({ cluster: CLUSTER, result: 'success', reason: 'ReconciliationSucceeded' });
    expect(run?.origin?.author).toMatch(/</);
    expect(run?.changes).toMatchObject([{ action: 'configured', ref: { kind: 'ConfigMap', name: 'a' } }]);
    expect(run?.steps.map(({ name }) => name)).toEqual(expect.arrayContaining(['source', 'render', 'apply']));
    const table = await slipway('get', 'runs', '--limit', '5');
    expect(table.stdout).toMatch(/^AGE +CLUSTER +OBJECT +COMMIT +AUTHOR +TRIGGER +CHANGES +TOOK +RESULT/);
    expect(table.stdout.trim().split('\n')).toHaveLength(6);
  });

  test('resync rebuilds an index that is lost: nothing is deleted, nothing written that is right, and drift is corrected', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a'), 'app/b.yaml': map('b') });
    await team.kustomize('app', './app');
    await team.ready();
    const before = await versions(team);
    const { index } = stage.slipway.ctx;
    await index.subscriptions.replace(CLUSTER, []);
    await index.applied.remove(CLUSTER, `Kustomization/${team.name}/app`);
    await index.inputs.remove(CLUSTER, `Kustomization/${team.name}/app`);
    await stage.objects.patch('configmaps', team.name, 'b', { data: { value: 'by hand' } });
    const answer = await slipway('resync');
    expect(answer).toMatchObject({ code: 0, stderr: '' });
    expect(answer.stdout).toMatch(new RegExp(`^${CLUSTER}: \\d+ objects are reconciled anew\n$`));
    await eventually('drift is corrected', async () => (await team.data('b'))?.value === '1');
    await team.ready();
    expect((await versions(team)).a).toBe(before.a);
    // What was applied before is known to be ours: it goes when its file goes.
    const commit = await team.push({ 'app/b.yaml': null });
    await team.ready('app', commit);
    await eventually('b is gone', async () => (await team.configMaps()).join() === 'a');
  });

  test('approve names what it allows, and refuses what is not there', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const missing = await slipway('approve', 'ks/nope', digest);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain(`there is no Kustomization/flux-system/nope in cluster ${CLUSTER}`);
    const allowed = await slipway('approve', 'ks/flux-system', digest);
    expect(allowed).toMatchObject({ code: 0, stderr: '' });
    expect(allowed.stdout).toContain(`may delete what ${digest} leaves out`);
  });

  test('dead letters are listed and sent again', async () => {
    const dead = await slipway('dead-letters', 'redrive', '12345');
    expect(dead).toMatchObject({ code: 1, stdout: '0 sent again\n' });
    const queue = stage.slipway.ctx.queues.cluster(CLUSTER);
    await queue.send([
      { group: 'nobody/knows/this', deduplicationId: randomUUID(), body: '{"not":"a job"}' },
    ]);
    const listed = await eventually('the job is given up', async () => {
      const { stdout } = await slipway('dead-letters', '-o', 'json');
      const letters = JSON.parse(stdout) as { id: string; group: string; queue: string }[];
      return letters.find(({ group }) => group === 'nobody/knows/this');
    });
    expect(listed.queue).toBe(CLUSTER);
    expect(await slipway('dead-letters', 'redrive', listed.id)).toMatchObject({
      code: 0,
      stdout: '1 sent again\n',
    });
  });
});

test('a delivery that comes again after its reconcile failed runs it again', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: substituted by the Kustomization
  const team = await stage.team({ 'app/a.yaml': map('a', '${colour}') });
  const substituteFrom = [{ kind: 'ConfigMap', name: 'settings' }];
  await team.kustomize('app', './app', {
    interval: '1h',
    retryInterval: '1h',
    postBuild: { substituteFrom },
  });
  await team.failed('BuildFailed');
  const commit = await team.repository.head();
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'b'.repeat(40),
    after: commit,
    repository: {
      full_name: `${team.repository.owner}/${team.name}`,
      clone_url: team.repository.url,
      html_url: team.repository.page,
    },
  });
  const deliver = async () => {
    const response = await fetch(`${stage.slipway.url}/webhooks/gitea`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-gitea-event': 'push',
        'x-gitea-delivery': 'one and the same',
        'x-gitea-signature': createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex'),
      },
    });
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };
  const first = await deliver();
  await team.status(commit, 'failure');
  await stage.objects.create(
    'configmaps',
    configMap('settings', team.name, { colour: 'blue' }) as Parameters<typeof stage.objects.create>[1],
  );
  expect(await deliver()).toBe(first);
  await team.ready('app', commit);
  expect(await team.data('a')).toEqual({ value: 'blue' });
  await team.status(commit, 'success');
});

test('events and history stand where the tools of Flux look for them', async () => {
  const team = await stage.team({ 'app/a.yaml': map('a') });
  await team.kustomize('app', './app');
  const ready = await team.ready();
  const revision = `main@sha1:${await team.repository.head()}`;
  expect(ready.status).toMatchObject({
    lastAppliedRevision: revision,
    lastAttemptedRevision: revision,
    history: [
      { lastReconciledStatus: 'ReconciliationSucceeded', totalReconciliations: 1, metadata: { revision } },
    ],
  });
  await team.push({ 'app/a.yaml': 'kind: [' });
  await team.failed('BuildFailed');
  const events = await eventually('both are told', async () => {
    const all = await stage.objects.list<Record<string, unknown>>('events', team.name);
    const own = all.filter(
      ({ involvedObject }) => (involvedObject as { kind: string }).kind === 'Kustomization',
    );
    return own.some(({ type }) => type === 'Warning') && own;
  });
  expect(events).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        type: 'Normal',
        reason: 'ReconciliationSucceeded',
        source: { component: 'kustomize-controller' },
      }),
      expect.objectContaining({ type: 'Warning', reason: 'BuildFailed' }),
    ]),
  );
  expect(conditionOf(await team.kustomization(), 'Ready')?.status).toBe('False');
});
