import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freshNamespace, useGitea, useKubernetes } from '../support/cluster.ts';
import { givenCluster } from '../support/given-cluster.ts';
import { kubeCall, kubeRequest } from '../support/kube-request.ts';
import { startKubernetes } from '../support/kubernetes.ts';
import { runningServers, startServer } from '../support/process.ts';

test('a namespace of the shared cluster takes objects, and is emptied when deleted', async () => {
  const kubernetes = await useKubernetes();
  const namespace = await freshNamespace();
  const path = `/api/v1/namespaces/${namespace}`;
  await kubeCall(kubernetes, 'POST', `${path}/configmaps`, { metadata: { name: 'a' }, data: { a: '1' } });
  expect(await kubeCall(kubernetes, 'GET', `${path}/configmaps/a`)).toMatchObject({ data: { a: '1' } });
  await kubeCall(kubernetes, 'DELETE', path);
  await expect
    .poll(async () => (await kubeRequest(kubernetes, 'GET', path)).status, { timeout: 60_000 })
    .toBe(404);
});

test('a request without a valid token is refused', async () => {
  const kubernetes = await useKubernetes();
  const answer = await kubeRequest({ ...kubernetes, token: 'wrong' }, 'GET', '/api/v1/namespaces');
  expect(answer.status).toBe(401);
});

test('a pull request is merged and its commit takes statuses', async () => {
  const gitea = await useGitea();
  const repository = await gitea.createRepository('servers-test', {
    files: { 'a.yaml': 'a: 1\n', old: 'x' },
  });
  const number = await repository.openPullRequest('change', { 'a.yaml': 'a: 2\n', old: null }, 'Change a');
  const merged = await repository.merge(number);
  expect(await repository.head()).toBe(merged);
  const path = `/repos/${repository.owner}/${repository.name}/statuses/${merged}`;
  await gitea.api('POST', path, { context: 'test', state: 'pending', description: 'first' });
  await gitea.api('POST', path, { context: 'test', state: 'success', description: 'second' });
  expect(await repository.statuses(merged)).toMatchObject([
    { context: 'test', status: 'success', description: 'second' },
  ]);
  expect(await repository.statusHistory(merged)).toHaveLength(2);
});

test('a given cluster is taken only when it says that tests may destroy what is in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const cluster = await startKubernetes();
  onTestFinished(() => cluster.stop());
  const file = join(directory, 'kubeconfig');
  await writeFile(file, cluster.kubeconfig);
  await expect(givenCluster(file)).rejects.toThrow(/does not say that tests may destroy/);
  const configMaps = '/api/v1/namespaces/kube-system/configmaps';
  await kubeCall(cluster, 'POST', configMaps, { metadata: { name: 'slipway-may-destroy' } });
  expect(await givenCluster(file)).toEqual(cluster.connection);
});

test('a server that was started is known to run until it has stopped', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const logFile = join(directory, 'log');
  const started = await startServer({ name: 'sleep', command: 'sleep', args: ['300'], logFile });
  expect(runningServers()).toContain(started);
  await started.stop();
  expect(runningServers()).not.toContain(started);
});
