import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { gitRepository, kustomization } from '../support/fleet-repository.ts';
import { kubeCall, kubeRequest } from '../support/kube-request.ts';
import { type Kubernetes, kubeconfigFor, startKubernetes } from '../support/kubernetes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const URL = 'https://git.example.com/fleet.git';

let kubernetes: Kubernetes;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  kubernetes = await startKubernetes({ controllerManager: true, name: 'arn:aws:cluster/Staging' });
});
afterAll(() => kubernetes?.stop());
beforeEach(async () => {
  directory = await temporaryDirectory();
  await writeFiles(directory.path, { 'mine.yaml': kubernetes.kubeconfig });
  return directory.remove;
});

function slipway(...args: string[]) {
  const env = { KUBECONFIG: join(directory.path, 'mine.yaml') };
  return runCli(args, { cwd: directory.path, env });
}

const read = (name: string) => readFile(join(directory.path, name), 'utf8');

describe('slipway cluster add', () => {
  test('makes an account, keeps its credential for the owner alone, and adds the cluster below what is there', async () => {
    const before = '# Our fleet.\nclusters: # all of them\n\nserver:\n  listen: ":8080" # inside\n';
    await writeFiles(directory.path, { 'slipway.yaml': before });
    const added = await slipway('cluster', 'add', 'arn:aws:cluster/Staging', '--repository', URL);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toContain('staging: system:serviceaccount:flux-system:slipway may do:');
    expect(added.stdout).toContain('everything in the whole cluster (ClusterRole cluster-admin)');
    expect((await stat(join(directory.path, 'staging.kubeconfig'))).mode & 0o777).toBe(0o600);
    expect(await read('staging.kubeconfig')).not.toContain(kubernetes.token);
    const fleet = await read('slipway.yaml');
    expect(fleet).toContain('clusters: # all of them\n  - name: staging\n');
    expect(fleet).toContain('server:\n  listen: ":8080" # inside\n');
    const checked = await slipway('cluster', 'check');
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toMatch(
      /^staging: fine, Kubernetes v\S+, as system:serviceaccount:flux-system:slipway\n/,
    );
    const list = await slipway('cluster', 'list');
    expect(list.stdout).toMatch(
      /^NAME +REPOSITORY .*\nstaging +https:\/\/git\.example\.com\/fleet\.git +main +\.\/clusters\/staging /,
    );

    const again = await slipway('cluster', 'add', 'arn:aws:cluster/Staging');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('staging stands in');
    expect(await read('slipway.yaml')).toBe(fleet);
  });

  test('makes a fleet file where there is none, and writes nothing where something is wrong', async () => {
    const none = await slipway('cluster', 'add', 'nowhere', '--repository', URL);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('nowhere');
    await expect(read('slipway.yaml')).rejects.toThrow('ENOENT');
    await writeFile(join(directory.path, 'mine.kubeconfig'), 'somebody else’s');
    const taken = await slipway(
      'cluster',
      'add',
      'arn:aws:cluster/Staging',
      '--name',
      'mine',
      '--repository',
      URL,
    );
    expect(taken.code).toBe(1);
    expect(taken.stderr).toContain('mine.kubeconfig exists and belongs to no cluster');
    expect(await read('mine.kubeconfig')).toBe('somebody else’s');
    const added = await slipway(
      'cluster',
      'add',
      'arn:aws:cluster/Staging',
      '--repository',
      URL,
      '--path',
      './x',
    );
    expect(added.code).toBe(0);
    expect(await read('slipway.yaml')).toContain('path: ./x');
  });

  test('asks for the repository where nothing says which, and takes it from Flux where that was at work', async () => {
    const asked = await slipway('cluster', 'add', 'arn:aws:cluster/Staging');
    expect(asked).toMatchObject({ code: 1 });
    expect(asked.stderr).toContain('Give it with --repository');
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    for (const definition of customResourceDefinitions())
      await kubeCall(kubernetes, 'POST', crds, definition);
    const create = async (group: string, plural: string, object: object) => {
      const path = `/apis/${group}.toolkit.fluxcd.io/v1/namespaces/flux-system/${plural}`;
      await eventually(
        `${path} is served`,
        async () => (await kubeRequest(kubernetes, 'POST', path, object)).status === 201,
      );
    };
    await create(
      'source',
      'gitrepositories',
      gitRepository('flux-system', 'flux-system', URL, { ref: { branch: 'live' } }),
    );
    await create('kustomize', 'kustomizations', kustomization('flux-system', './clusters/east'));
    const added = await slipway('cluster', 'add', 'arn:aws:cluster/Staging');
    expect(added.code).toBe(0);
    expect(added.stdout).toContain(`${URL}, live, ./clusters/east`);
  });
});

describe('slipway cluster check', () => {
  test('names what is wrong, and exits with 1', async () => {
    const groups = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'little' },
    };
    await kubeCall(kubernetes, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      ...groups,
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
    });
    await kubeCall(kubernetes, 'POST', '/api/v1/namespaces/default/serviceaccounts', {
      metadata: { name: 'little' },
    });
    await kubeCall(kubernetes, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'little' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'little' },
      subjects: [{ kind: 'ServiceAccount', name: 'little', namespace: 'default' }],
    });
    const { status } = await kubeCall<{ status: { token: string } }>(
      kubernetes,
      'POST',
      '/api/v1/namespaces/default/serviceaccounts/little/token',
      { spec: { expirationSeconds: 3600 } },
    );
    const lease = {
      metadata: { name: 'kustomize-controller-leader-election', namespace: 'default' },
      spec: {
        holderIdentity: 'pod',
        leaseDurationSeconds: 35,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    };
    await kubeCall(kubernetes, 'POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', lease);
    const cluster = (name: string) => ({ name, kubeconfig: `file:${name}.kubeconfig`, source: { url: URL } });
    await writeFiles(directory.path, {
      'slipway.yaml': JSON.stringify({ clusters: ['little', 'gone', 'none'].map(cluster) }),
      'little.kubeconfig': kubeconfigFor('little', { ...kubernetes.connection, token: status.token }),
      'gone.kubeconfig': kubeconfigFor('gone', { ...kubernetes.connection, server: 'https://127.0.0.1:1' }),
    });
    const checked = await slipway('cluster', 'check', '-o', 'json');
    expect(checked.code).toBe(1);
    const [little, gone, none] = JSON.parse(checked.stdout);
    expect(little).toMatchObject({ cluster: 'little', user: 'system:serviceaccount:default:little' });
    expect(little.problems).toEqual([
      expect.stringMatching(/^may not: .*update kustomizations\/status\.kustomize\.toolkit\.fluxcd\.io/),
      expect.stringMatching(/^Flux is running \(kustomize-controller\).*slipway adopt little/),
    ]);
    expect(gone.problems).toEqual([expect.stringMatching(/^cannot be reached: /)]);
    expect(none.problems).toEqual([expect.stringMatching(/none\.kubeconfig/)]);
  });
});
