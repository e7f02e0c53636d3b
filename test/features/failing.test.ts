import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { CLUSTER, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const valid = yaml(configMap('a', '', {}));
const invalid = yaml({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', labels: { a: 'no label!' } },
});

/** How many runs of the Kustomization have failed so far. */
function failures(team: Team): number {
  const lines = stage.slipway.log.filter((line) => line.includes(`Kustomization/${team.name}/app`));
  return lines.filter((line) => line.includes('reconcile failed')).length;
}

/** How often it was told that the apply failed. */
async function toldOf(team: Team) {
  const reason = 'ReconciliationFailed';
  const events = await stage.objects.list<{ involvedObject: { kind: string }; reason: string }>(
    'events',
    team.name,
  );
  const runs = await stage.slipway.ctx.index.runs.list({ cluster: CLUSTER, limit: 500 });
  return {
    events: events.filter((one) => one.involvedObject.kind === 'Kustomization' && one.reason === reason)
      .length,
    runs: runs.filter((one) => one.object.namespace === team.name && one.reason === reason).length,
  };
}

describe('a Kustomization that fails again and again', () => {
  test('tells since when, and tells it once: each further try leaves its Ready condition, events and runs as they are', async () => {
    const team = await stage.team({ 'app/a.yaml': invalid });
    await team.kustomize('app', './app', { retryInterval: '5s' });
    await team.failed('ReconciliationFailed');
    const first = conditionOf(await team.kustomization());
    const before = failures(team);
    await eventually('it was tried three times more', () => failures(team) >= before + 3);
    const seen = await team.kustomization();
    expect(conditionOf(seen)).toEqual(first);
    expect(conditionOf(seen, 'Reconciling')).toMatchObject({ reason: 'ProgressingWithRetry' });
    expect(await toldOf(team)).toEqual({ events: 1, runs: 1 });
  });

  test('says so when it fails otherwise, and is ready as soon as it is mended', async () => {
    const team = await stage.team({ 'app/a.yaml': invalid });
    await team.kustomize('app', './app', { retryInterval: '5s' });
    await team.failed('ReconciliationFailed', 'app', /a valid label/);
    await team.push({ 'app/a.yaml': 'kind: [' });
    await team.failed('BuildFailed');
    await team.ready('app', await team.push({ 'app/a.yaml': valid }));
    expect(await team.configMaps()).toEqual(['a']);
  });
});
