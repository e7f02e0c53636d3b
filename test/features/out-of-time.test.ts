import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { ClusterConnection, Context } from '../../lib/pipeline/context.ts';
import { configMaps } from '../support/fleet-repository.ts';
import { type Stage, startStage } from '../support/stage.ts';

const OBJECTS = 60;
const UNTIL = 20;

/** Writes and dry-runs of ConfigMaps, in the order they came. */
const calls: { name: string; dryRun: boolean }[] = [];
let isOver = false;
let ends = 0;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ wrap: shortOfTime });
});
afterAll(() => stage?.stop());

test('an apply whose worker has no time left ends, and goes on in a new run where it stopped', async () => {
  const team = await stage.team({ 'app/first.yaml': configMaps('first', '', 1) });
  await team.kustomize('app', './app');
  await team.ready();
  const commit = await team.push({ 'app/maps.yaml': configMaps('map', '', OBJECTS) });
  await team.ready('app', commit);
  expect(ends).toBe(1);
  expect(await team.configMaps()).toHaveLength(OBJECTS + 1);
  const written = calls.filter(({ dryRun }) => !dryRun).map(({ name }) => name);
  expect(new Set(written).size).toBe(OBJECTS);
  // Nothing is written twice, and what the first run wrote is not even looked at with a dry-run again.
  expect(written).toHaveLength(OBJECTS);
  const first = new Set(written.slice(0, UNTIL));
  const later = calls.slice(
    calls.findIndex(({ name, dryRun }) => !dryRun && name === written[UNTIL - 1]) + 1,
  );
  expect(later.filter(({ name, dryRun }) => dryRun && first.has(name))).toEqual([]);
  await team.status(commit, 'success');
});

/** The time of the worker is over after twenty objects of the team, once. */
function shortOfTime(ctx: Context): Context {
  const wrapped = new WeakMap<ClusterConnection, ClusterConnection>();
  return {
    ...ctx,
    get endsAt() {
      if (!isOver) return Number.POSITIVE_INFINITY;
      isOver = false;
      ends += 1;
      return 0;
    },
    async cluster(name) {
      const connection = await ctx.cluster(name);
      const known = wrapped.get(connection) ?? { ...connection, client: counting(connection.client) };
      wrapped.set(connection, known);
      return known;
    },
  };
}

function counting(client: KubeClient): KubeClient {
  return new Proxy(client, {
    get(target, property, receiver) {
      if (property === 'as') return (...given: Parameters<KubeClient['as']>) => counting(target.as(...given));
      if (property !== 'apply') return Reflect.get(target, property, receiver);
      return async (...given: Parameters<KubeClient['apply']>) => {
        const [object, { dryRun = false }] = given;
        if (object.kind === 'ConfigMap' && object.metadata.name.startsWith('map-')) {
          calls.push({ name: object.metadata.name, dryRun });
          if (!dryRun && calls.filter((call) => !call.dryRun).length === UNTIL) isOver = true;
        }
        return target.apply(...given);
      };
    },
  });
}
