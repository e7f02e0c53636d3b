import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClusters } from '../../functions/open-clusters.ts';
import { openFleet } from '../../functions/open-fleet.ts';
import { createClusterNetwork } from '../../lib/kube/cluster-network.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { kustomization } from '../support/fleet-repository.ts';
import { kubeCall, kubeRequest } from '../support/kube-request.ts';
import { type Kubernetes, kubeconfigFor, startKubernetes } from '../support/kubernetes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const URL = 'https://git.example.com/fleet.git';
const PATH = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations';

let kubernetes: Kubernetes;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  kubernetes = await startKubernetes({ name: 'here' });
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  for (const definition of customResourceDefinitions()) await kubeCall(kubernetes, 'POST', crds, definition);
  await kubeCall(kubernetes, 'POST', '/api/v1/namespaces', { metadata: { name: 'flux-system' } });
  await eventually(
    'Kustomizations are served',
    async () =>
      (await kubeRequest(kubernetes, 'POST', PATH, kustomization('apps', './clusters/here'))).status === 201,
  );
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'BuildFailed',
    message: 'gone \u001b[2J\u001b[31mwrong\u202e',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const body = { status: { conditions: [condition] } };
  await kubeCall(kubernetes, 'PATCH', `${PATH}/apps/status`, body, 'application/merge-patch+json');
  const cluster = (name: string) => ({ name, kubeconfig: `file:${name}.kubeconfig`, source: { url: URL } });
  await writeFiles(directory.path, {
    'slipway.yaml': JSON.stringify({ clusters: ['gone', 'here', 'none'].map(cluster) }),
    'here.kubeconfig': kubernetes.kubeconfig,
    'gone.kubeconfig': kubeconfigFor('gone', { ...kubernetes.connection, server: 'https://127.0.0.1:1' }),
  });
});
afterAll(async () => {
  await kubernetes?.stop();
  await directory?.remove();
});

const slipway = (...args: string[]) => runCli(args, { cwd: directory.path });

test('a cluster that cannot be reached does not hide the others, is named, and makes the exit code 1', async () => {
  const got = await slipway('get', 'ks', '-o', 'json');
  expect(got.code).toBe(1);
  expect(JSON.parse(got.stdout)).toMatchObject([{ cluster: 'here', name: 'apps', ready: 'False' }]);
  expect(got.stderr).toMatch(/^slipway: cluster gone: /m);
  expect(got.stderr).toMatch(/^slipway: cluster none: cannot read the secret file:none\.kubeconfig/m);

  const suspended = await slipway('suspend', 'ks/apps');
  expect(suspended).toMatchObject({ code: 1, stdout: 'here: Kustomization/flux-system/apps suspended\n' });
  const live = await kubeCall<{ spec: { suspend?: boolean } }>(kubernetes, 'GET', `${PATH}/apps`);
  expect(live.spec.suspend).toBe(true);
  expect(await slipway('resume', 'ks/apps', '--cluster', 'here')).toMatchObject({ code: 0, stderr: '' });
});

test('one name is shown alone, in all namespaces as with -A, and one that is nowhere is an error', async () => {
  const one = await slipway('get', 'ks', 'apps', '-A', '--cluster', 'here', '-o', 'json');
  expect(one.code).toBe(0);
  expect(JSON.parse(one.stdout)).toMatchObject([{ name: 'apps', namespace: 'flux-system' }]);
  const none = await slipway('get', 'ks', 'nope', '-n', 'apps', '--cluster', 'here');
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toBe('slipway: there is no Kustomization nope in the namespace apps in cluster here\n');
});

test('what somebody wrote into a cluster cannot take over the terminal', async () => {
  const { stdout } = await slipway('get', 'ks', '--cluster', 'here');
  expect(stdout).toContain('gone \ufffd[2J\ufffd[31mwrong\ufffd');
  const tree = await slipway('tree', 'ks/apps', '--cluster', 'here');
  expect(tree.stdout).toMatch(/^here\n└── Kustomization\/flux-system\/apps failed: gone \ufffd/);
  expect(tree.stdout).not.toContain('\u001b');
  expect(tree.stdout).not.toContain('\u202e');
});

test.each([
  [['get', 'ks', '--cluster', 'nowhere'], /there is no cluster nowhere in .*; it has: gone, here, none/],
  [['get', 'runs', '--cluster', 'nowhere'], /there is no cluster nowhere/],
  [['history', 'ks/apps', '--cluster', 'nowhere'], /there is no cluster nowhere/],
  [['history', 'ks/apps', '--limit', 'many'], /--limit takes a whole number from 1/],
  [['tree', 'ks/nope', '--cluster', 'here'], /there is no Kustomization\/flux-system\/nope in cluster here/],
  [['reconcile', 'ks/apps', '--timeout', 'soon'], /--timeout takes a number of seconds/],
  [
    ['cluster', 'add', 'x', '--kubeconfig', 'missing.yaml'],
    /there is no kubeconfig missing\.yaml; name yours/,
  ],
])('%j is answered with what is wrong', async (args, message) => {
  const answer = await slipway(...args);
  expect(answer).toMatchObject({ code: 1, stdout: '' });
  expect(answer.stderr).toMatch(message);
});

test('a token that is rotated in the kubeconfig is used as soon as the old one is refused', async () => {
  const broken = kubeconfigFor('rotated', { ...kubernetes.connection, token: 'expired' });
  await writeFiles(directory.path, {
    'rotated.yaml': JSON.stringify({
      clusters: [{ name: 'rotated', kubeconfig: 'file:rotated.kubeconfig', source: { url: URL } }],
    }),
    'rotated.kubeconfig': broken,
  });
  const clusters = openClusters(
    await openFleet(join(directory.path, 'rotated.yaml')),
    createClusterNetwork({ loopback: true }),
  );
  const { client } = await clusters.cluster('rotated');
  const namespace = { group: '', version: 'v1', kind: 'Namespace', namespace: '', name: 'flux-system' };
  await expect(client.get(namespace)).rejects.toMatchObject({ code: 401 });
  await writeFiles(directory.path, { 'rotated.kubeconfig': kubernetes.kubeconfig });
  expect(await client.get(namespace)).toMatchObject({ metadata: { name: 'flux-system' } });
  await clusters.close();
});

test('what is asked about an object of the wrong kind is refused, not answered for another', async () => {
  for (const words of [
    ['tree', 'gitrepo/apps'],
    ['approve', 'gitrepo/apps', `sha256:${'0'.repeat(64)}`],
  ]) {
    const got = await slipway(...words);
    expect(got.code).toBe(1);
    expect(got.stderr).toContain(
      'gitrepo/apps is of kind GitRepository; this command is for a Kustomization',
    );
  }
});

test('a mistake on the command line is answered with where the help of that command is', async () => {
  expect((await slipway('history')).stderr).toContain('(see "slipway history --help")');
  expect((await slipway('dead-letters', 'redrive', '--x')).stderr).toContain(
    '(see "slipway dead-letters redrive --help")',
  );
});
