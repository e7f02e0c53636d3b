import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HookJob } from '../../lib/core/job.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { resync } from '../../lib/pipeline/resync.ts';
import { createSeal } from '../../lib/secrets/seal.ts';
import { eventually } from '../support/eventually.ts';
import { gitRepository } from '../support/fleet-repository.ts';
import { conditionOf, isReadyAt } from '../support/kube-objects.ts';
import { CLUSTER, type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
/** What the running process seals with; a test exchanges it. */
let seal: Context['seal'] | undefined;
beforeAll(async () => {
  stage = await startStage({
    cluster: { noCrossNamespaceRefs: true },
    wrap: (ctx) => ({
      ...ctx,
      seal: {
        seal: (text, place) => (seal ?? ctx.seal).seal(text, place),
        open: (text, place) => (seal ?? ctx.seal).open(text, place),
      },
    }),
  });
});
afterAll(() => stage?.stop());

/** A namespace with a source and a generic Receiver for these resources. @returns the namespace and the URL to call */
async function setUp(resources: (namespace: string) => Record<string, unknown>[]) {
  const namespace = stage.unique('tenant');
  await stage.objects.namespace(namespace);
  await eventually(
    'the Toolkit is installed',
    async () => (await stage.objects.list('receivers')).length >= 0,
  );
  const metadata = { name: 'token', namespace };
  await stage.objects.create('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    stringData: { token: namespace },
  });
  await stage.objects.create(
    'gitrepositories',
    gitRepository('app', namespace, stage.root.url, { interval: '24h' }),
  );
  await stage.objects.create('receivers', {
    apiVersion: 'notification.toolkit.fluxcd.io/v1',
    kind: 'Receiver',
    metadata: { name: 'hook', namespace },
    spec: { type: 'generic', secretRef: { name: 'token' }, resources: resources(namespace) },
  });
  const found = await eventually('the Receiver is ready', async () => {
    const receiver = await stage.objects.get('receivers', namespace, 'hook');
    return isReadyAt(receiver) && receiver;
  });
  return { namespace, receiver: found, url: `${stage.slipway.url}${found.status?.webhookPath}` };
}

/** Waits until a call is handled. @returns the objects it was for, and what the log says of it */
async function called(url: string): Promise<{ objects: number; log: string }> {
  const answer = await fetch(url, { method: 'POST' });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  return eventually('the call is handled', () => {
    const lines = stage.slipway.log.filter((line) => line.includes(id));
    const last = lines.find((line) => line.includes('"message":"called"'));
    return last === undefined
      ? undefined
      : { objects: (JSON.parse(last) as { objects: number }).objects, log: lines.join('\n') };
  });
}

describe('where references to other namespaces are not allowed', () => {
  test('a Receiver reaches its own namespace alone, and says what has no effect', async () => {
    const victim = await setUp(() => [{ kind: 'GitRepository', name: 'app' }]);
    const { receiver, url } = await setUp((own) => [
      { kind: 'GitRepository', name: 'app', namespace: own },
      { kind: 'GitRepository', name: 'app', namespace: victim.namespace },
      { kind: 'GitRepository', name: '*', namespace: victim.namespace, matchLabels: {} },
    ]);
    expect(conditionOf(receiver)?.message).toMatch(
      /without effect: GitRepository\/app \(the cluster allows no references to other namespaces\), GitRepository\/\* \(/,
    );
    const { objects, log } = await called(url);
    expect(objects).toBe(1);
    expect(log.match(/allows no references to other namespaces/g)).toHaveLength(2);
  });
});

describe('a key of the installation that was changed', () => {
  test('turns calls away until the index is rebuilt from the clusters, which the log tells', async () => {
    const { url } = await setUp(() => [{ kind: 'GitRepository', name: 'app' }]);
    expect((await called(url)).objects).toBe(1);
    seal = await createSeal('another key of this installation');
    expect((await fetch(url, { method: 'POST' })).status).toBe(503);
    expect(stage.slipway.log.join()).toContain('another key of the installation');
    await resync(stage.slipway.ctx, CLUSTER);
    await eventually('it listens again', async () => (await fetch(url, { method: 'POST' })).status === 202);
  });
});

describe('a cluster that cannot be reached', () => {
  test('lets a call wait, and come to an end', async () => {
    const { ctx } = stage.slipway;
    const sent: { delayMs?: number }[] = [];
    const offline: Context = {
      ...ctx,
      cluster: () => Promise.reject(new KubeError(0, 'no answer')),
      queues: {
        ...ctx.queues,
        cluster: () => ({ ...ctx.queues.push, send: async (all) => void sent.push(...all) }),
      },
    };
    const job: HookJob = {
      type: 'hook',
      cluster: CLUSTER,
      namespace: 'apps',
      name: 'hook',
      receiver: 'generic',
      origin: { id: stage.unique('call') },
      receivedAt: ctx.now(),
    };
    expect(await handleJob(offline, job)).toBe('done');
    expect(sent).toMatchObject([{ delayMs: 30_000 }]);
    expect(await handleJob(offline, { ...job, receivedAt: ctx.now() - 16 * 60_000 })).toBe('done');
    expect(sent).toHaveLength(1);
    expect(stage.slipway.log.join()).toMatch(/the call of a Receiver is given up/);
  });
});
