/**
 * Real servers for test files of the projects `contract`, `features` and `e2e` (not `unit`, which starts none).
 *
 *     const kubernetes = await useKubernetes();      // { server, caData, token, kubeconfig }
 *     const namespace = await freshNamespace();      // a new, empty namespace in it
 *     const gitea = await useGitea();                // see gitea.ts; give each repository a name of your own
 *
 * One control plane (with kube-controller-manager) and one Gitea serve a whole run; they start when the first test asks
 * (about 3 s). Keep to namespaces and repositories of your own. A test that changes what all share (CRDs that another
 * test has in another version, webhooks of the cluster, its RBAC) starts its own with `startKubernetes()`.
 *
 * `KUBECONFIG_TEST=<file>` runs them on a given cluster, which must carry the ConfigMap `kube-system/slipway-may-destroy`.
 */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { afterAll, inject } from 'vitest';
import { connectGitea, type GiteaClient, type GiteaConnection } from './gitea-client.ts';
import { kubeCall, kubeRequest } from './kube-request.ts';
import { type KubernetesConnection, kubeconfigFor } from './kubernetes.ts';

/** The shared cluster, as its administrator. */
export async function useKubernetes(): Promise<KubernetesConnection & { kubeconfig: string }> {
  const { server, caData, token } = (await askShared('kubernetes')) as KubernetesConnection;
  return { server, caData, token, kubeconfig: kubeconfigFor('test', { server, caData, token }) };
}

/** The shared Git provider. */
export async function useGitea(): Promise<GiteaClient> {
  const name = process.env.SLIPWAY_BACKEND === 'aws' ? 'gitea-aws' : 'gitea';
  return connectGitea((await askShared(name)) as GiteaConnection);
}

/**
 * Makes a namespace with a name of its own in the shared cluster.
 * On a given cluster it is deleted after the test file; our own cluster is thrown away as a whole.
 */
export async function freshNamespace(prefix = 'test'): Promise<string> {
  const kubernetes = await useKubernetes();
  const name = `${prefix}-${randomBytes(5).toString('hex')}`;
  await kubeCall(kubernetes, 'POST', '/api/v1/namespaces', { metadata: { name } });
  if (process.env.KUBECONFIG_TEST) {
    afterAll(async () => {
      await kubeRequest(kubernetes, 'DELETE', `/api/v1/namespaces/${name}`);
    });
  }
  return name;
}

const answers = new Map<string, Promise<unknown>>();

/** Asks for what all test files of a run share; it is made when the first of them asks. */
export function askShared(name: string): Promise<unknown> {
  let answer = answers.get(name);
  if (!answer) {
    answer = request(name);
    answers.set(name, answer);
  }
  return answer;
}

async function request(name: string): Promise<unknown> {
  const url = inject('sharedServers');
  if (!url) throw new Error('Only the projects contract, features and e2e have real servers.');
  const response = await fetch(`${url}/${name}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text);
}
