import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { type Objects, objectsOf } from '../support/kube-objects.ts';
import { kubeCall } from '../support/kube-request.ts';
import { ISSUER, type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
let remote: Kubernetes;
let there: Objects;
beforeAll(async () => {
  stage = await startStage();
  // What the remote cluster checks tokens with, which it reads without a credential.
  await kubeCall(stage.kubernetes, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'issuer-discovery' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:service-account-issuer-discovery',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }],
  });
  const trust = join(stage.kubernetes.directory, 'trust.json');
  await writeFile(trust, JSON.stringify(trusting(stage.kubernetes)));
  remote = await startKubernetes({
    name: 'remote',
    issuer: 'https://remote.example.com',
    apiServerArgs: [`--authentication-config=${trust}`],
  });
  there = objectsOf(remote);
});
afterAll(async () => {
  await stage?.stop();
  await remote?.stop();
});

/** The audience of the tokens that the remote cluster takes. */
const AUDIENCE = 'remote-cluster';

/** A cluster's configuration that takes the service accounts of another one as `hub:system:serviceaccount:…`. */
function trusting({ server, caData }: Kubernetes): unknown {
  const issuer = {
    url: ISSUER,
    discoveryURL: `${server}/.well-known/openid-configuration`,
    certificateAuthority: caData,
    audiences: [AUDIENCE],
  };
  return {
    apiVersion: 'apiserver.config.k8s.io/v1beta1',
    kind: 'AuthenticationConfiguration',
    jwt: [{ issuer, claimMappings: { username: { claim: 'sub', prefix: 'hub:' } } }],
  };
}

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

async function team(): Promise<Team> {
  const made = await stage.team({ 'app/a.yaml': map('a'), 'app/b.yaml': map('b') });
  await there.namespace(made.name);
  return made;
}

async function appliesThere(made: Team): Promise<void> {
  const names = () => there.names('configmaps', made.name);
  await made.ready();
  expect(await names()).toEqual(['a', 'b']);
  expect(await made.configMaps()).toEqual([]);
  await there.delete('configmaps', made.name, 'b');
  await eventually('it is back', async () => (await names()).length === 2);
  await stage.objects.delete('kustomizations', made.name, 'app');
  await eventually('all is gone', async () => (await names()).length === 0);
}

describe('a Kustomization for another cluster', () => {
  test('with a kubeconfig in a Secret is applied there, drift is corrected there, and its deletion prunes there', async () => {
    const made = await team();
    await stage.objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'remote', namespace: made.name },
      stringData: { value: remote.kubeconfig },
    });
    await made.kustomize('app', './app', { interval: '5s', kubeConfig: { secretRef: { name: 'remote' } } });
    await appliesThere(made);
  });

  test('opens it with tokens of a service account that the other cluster trusts, and no stored credential', async () => {
    const made = await team();
    const namespace = made.name;
    await stage.objects.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'deployer', namespace },
    });
    await there.create('rolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'deployer', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [
        {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'User',
          name: `hub:system:serviceaccount:${namespace}:deployer`,
        },
      ],
    });
    const data = {
      provider: 'generic',
      address: remote.server,
      'ca.crt': remote.caData,
      audiences: AUDIENCE,
      serviceAccountName: 'deployer',
    };
    await stage.objects.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'remote', namespace },
      data,
    });
    const kubeConfig = { configMapRef: { name: 'remote' } };
    await made.kustomize('app', './app', { interval: '5s', kubeConfig });
    await made.ready();
    await stage.objects.delete('configmaps', namespace, 'remote');
    await made.failed('ReconciliationFailed', 'app', /ConfigMap\/.*\/remote.* does not exist; create it/);
    expect(await there.names('configmaps', namespace)).toEqual(['a', 'b']);
  });

  test.each([
    [{ provider: 'aws' }, /has the provider "aws"; only generic is supported/],
    [{ provider: 'generic' }, /has no address; set it to the URL/],
    [{ provider: 'generic', address: 'https://127.0.0.1:1' }, /has no serviceAccountName/],
    [
      { provider: 'generic', address: 'https://127.0.0.1:1', serviceAccountName: 'nobody' },
      /names ServiceAccount\/.*\/nobody, which does not exist/,
    ],
    [{ provider: 'generic', address: 'http://127.0.0.1:1', serviceAccountName: 'default' }, /insecure|https/],
  ])('says what is wrong with the parameters %j', async (data, message) => {
    const made = await team();
    await stage.objects.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'remote', namespace: made.name },
      data,
    });
    await stage.objects.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: made.name },
    });
    await made.kustomize('app', './app', { kubeConfig: { configMapRef: { name: 'remote' } } });
    await made.failed('ReconciliationFailed', 'app', message);
  });
});
