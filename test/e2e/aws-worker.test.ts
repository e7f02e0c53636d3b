import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../lib/log.ts';
import { type AwsLocal, startAwsLocal } from '../aws-local/aws-local.ts';
import { runCli, SLIPWAY } from '../support/cli.ts';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { isReadyAt, type Objects, objectsOf } from '../support/kube-objects.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { freePort } from '../support/ports.ts';
import { WEBHOOK_SECRET, writeFleet } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let kubernetes: Kubernetes;
let objects: Objects;
let repository: GiteaRepository;
let aws: AwsLocal;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  const [gitea, started] = await Promise.all([useGitea(), startKubernetes({ name: 'private' })]);
  kubernetes = started;
  objects = objectsOf(kubernetes);
  repository = await gitea.createRepository('aws-worker', { files: greeting('hello') });
  const port = await freePort();
  const options = {
    directory: directory.path,
    clusters: { private: { kubeconfig: kubernetes.kubeconfig } },
    repository: repository.url,
    gitea,
  };
  aws = await startAwsLocal({
    name: 'aws-worker',
    fleet: await writeFleet(options, port),
    clusters: ['private'],
    elsewhere: ['private'],
    directory: join(directory.path, 'aws'),
    port,
    tickMs: 5_000,
    log: createLog({ level: 'silent', format: 'json', write() {}, now: Date.now }),
  });
  await repository.createWebhook(`${aws.url}/webhooks/gitea`, WEBHOOK_SECRET);
});
afterAll(async () => {
  for (const worker of workers) if (worker.exitCode === null) worker.kill('SIGKILL');
  await aws?.stop();
  await kubernetes?.stop();
  await directory?.remove();
});

test('a worker elsewhere does the jobs of its cluster, and ends cleanly when it is told to', async () => {
  const first = startWorker();
  await applied(await repository.head());
  const commit = await repository.commit(greeting('second'));
  await applied(commit);

  first.kill('SIGTERM');
  const [code] = await once(first, 'exit');
  expect(code).toBe(0);
  expect(await aws.worker.ctx.queues.cluster('private').deadLetters(10)).toEqual([]);

  // What is pushed meanwhile waits in the queue for the next one.
  const waiting = await repository.commit(greeting('third'));
  startWorker();
  await applied(waiting);
  expect(
    (await objects.get<{ data: { message: string } }>('configmaps', 'default', 'greeting'))?.data.message,
  ).toBe('third');
});

test('commands of an operator speak to the installation that the environment names', async () => {
  const commit = await repository.head();
  await applied(commit);
  const runs = await slipway('get', 'runs');
  expect(runs.stdout).toMatch(/private +Kustomization\/flux-system\/flux-system +[0-9a-f]{8}/);
  const reconciled = await slipway('reconcile', 'ks/flux-system', '--with-source');
  expect(reconciled).toMatchObject({ code: 0, stderr: '' });
  // A job was sent for each request: neither waits for a sweep.
  expect(reconciled.stdout).toMatch(/GitRepository\/flux-system\/flux-system requested\n/);
  expect(reconciled.stdout).toMatch(/Kustomization\/flux-system\/flux-system requested\n/);
  expect(reconciled.stdout).toContain(`Applied revision: main@sha1:${commit}`);
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(await slipway('approve', 'ks/flux-system', digest)).toMatchObject({ code: 0, stderr: '' });
  const resynced = await slipway('resync');
  expect(resynced).toMatchObject({ code: 0, stderr: '' });
  expect(resynced.stdout).toMatch(/^private: \d+ objects are reconciled anew\n$/);
  await applied(commit);
  expect(await slipway('dead-letters')).toMatchObject({ code: 0, stderr: 'there are no dead letters\n' });
});

test.each([
  ['a cluster that is not in the fleet file', 'public', {}, 'there is no cluster public in'],
  ['no region', 'private', { AWS_REGION: undefined }, 'no AWS region is known'],
  ['another table', 'private', { SLIPWAY_TABLE: 'elsewhere' }, 'no installation is at table elsewhere'],
])(
  'a worker that has nothing to work for says why and ends: %s',
  async (_what, cluster, variables, words) => {
    const worker = startWorker(cluster, variables);
    let said = '';
    worker.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(worker, 'exit');
    expect(code).toBe(1);
    expect(said).toContain(words);
  },
);

function slipway(...args: string[]) {
  const { SLIPWAY_FLEET = '', ...variables } = aws.variables;
  return runCli(['--config', SLIPWAY_FLEET, ...args], { cwd: directory.path, env: variables });
}

function startWorker(cluster = 'private', variables: Record<string, string | undefined> = {}): ChildProcess {
  const env = {
    ...process.env,
    ...aws.variables,
    SLIPWAY_DIRECTORY: join(directory.path, `worker-${workers.length}`),
    ...variables,
  };
  const args = ['worker', '--cluster', cluster, '--log', 'warn'];
  const worker = spawn(SLIPWAY, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  workers.push(worker);
  return worker;
}

async function applied(commit: string): Promise<void> {
  await eventually(`${commit} is applied`, async () =>
    isReadyAt(await objects.get('kustomizations', 'flux-system', 'flux-system'), commit),
  );
}

function greeting(message: string): Record<string, string> {
  return { 'clusters/private/greeting.yaml': yaml(configMap('greeting', 'default', { message })) };
}
