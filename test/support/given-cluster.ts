import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { parse } from 'yaml';
import { kubeRequest } from './kube-request.ts';
import type { KubernetesConnection } from './kubernetes.ts';

interface Kubeconfig {
  'current-context': string;
  contexts: { name: string; context: { cluster: string; user: string } }[];
  clusters: { name: string; cluster: Record<string, string> }[];
  users: { name: string; user: Record<string, string> }[];
}

const marker = '/api/v1/namespaces/kube-system/configmaps/slipway-may-destroy';

/**
 * The cluster of a kubeconfig file (its current context), for running the tests on a cluster of one's own.
 * Refused unless the cluster carries the ConfigMap `kube-system/slipway-may-destroy`: the tests delete what they find.
 * Client certificates are exchanged for a token of a service account that is made for it.
 */
export async function givenCluster(file: string): Promise<KubernetesConnection> {
  const config = parse(await readFile(file, 'utf8')) as Kubeconfig;
  const context = config.contexts.find((one) => one.name === config['current-context'])?.context;
  const cluster = config.clusters.find((one) => one.name === context?.cluster)?.cluster;
  const user = config.users.find((one) => one.name === context?.user)?.user;
  if (!cluster?.server || !cluster['certificate-authority-data'] || !user) {
    throw new Error(`${file}: the current context needs a server, certificate-authority-data and a user.`);
  }
  const server = cluster.server.replace(/\/$/, '');
  const caData = decode(cluster['certificate-authority-data']);
  let token = user.token;
  if (!token) {
    const [cert, key] = [user['client-certificate-data'], user['client-key-data']];
    if (!cert || !key)
      throw new Error(`${file}: the user needs a token, or client-certificate-data and client-key-data.`);
    const send: Send = (method, path, body) =>
      sendWithCertificate(
        `${server}${path}`,
        { method, ca: caData, cert: decode(cert), key: decode(key) },
        body,
      );
    if ((await send('GET', marker)).status !== 200) throw unmarked(file);
    token = await administratorToken(send);
  }
  const connection = { server, caData, token };
  if ((await kubeRequest(connection, 'GET', marker)).status !== 200) throw unmarked(file);
  return connection;
}

type Send = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: string }>;

function unmarked(file: string): Error {
  return new Error(
    `The cluster of ${file} does not say that tests may destroy what is in it. If they may, run: ` +
      `kubectl --kubeconfig ${file} -n kube-system create configmap slipway-may-destroy`,
  );
}

async function administratorToken(send: Send): Promise<string> {
  const account = { name: 'slipway-tests', namespace: 'kube-system' };
  await send('POST', '/api/v1/namespaces/kube-system/serviceaccounts', { metadata: account });
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: account.name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
  const path = `/api/v1/namespaces/kube-system/serviceaccounts/${account.name}/token`;
  const answer = await send('POST', path, { spec: { expirationSeconds: 24 * 3600 } });
  if (answer.status !== 201) throw new Error(`No token for ${account.name}: ${answer.body.slice(0, 1000)}`);
  return (JSON.parse(answer.body) as { status: { token: string } }).status.token;
}

function sendWithCertificate(
  url: string,
  options: { method: string; ca: string; cert: string; key: string },
  body: unknown,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { ...options, headers, agent: false, timeout: 60_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${url} did not answer within 60 s.`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
