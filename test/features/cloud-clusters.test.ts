import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { type Clusters, openClusters } from '../../functions/open-clusters.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { checkCluster } from '../../lib/pipeline/check-cluster.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { useKubernetes } from '../support/cluster.ts';
import { type CloudRequest, fakeClouds } from '../support/fake-clouds.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const FLEET = `clusters:
  - name: google
    gke: {project: acme-prod, location: europe-west1, name: shop}
    source: {url: "https://git.example.com/fleet.git"}
  - name: azure
    aks: {subscription: ${ID}, resourceGroup: shop, name: shop}
    source: {url: "https://git.example.com/fleet.git"}
`;

const kubernetes = await useKubernetes();
const directory = await temporaryDirectory();
const base64 = (text: string) => Buffer.from(text).toString('base64');
const opened: Clusters[] = [];
/** What the clouds give in turn as tokens; the last one from then on. */
let tokens: string[];

beforeEach(async () => {
  await writeFiles(directory.path, {
    subject: 'the-token-of-a-workload',
    'google.json': JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/pool',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      credential_source: { file: join(directory.path, 'subject') },
    }),
  });
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(directory.path, 'google.json'));
  vi.stubEnv('AZURE_CLIENT_ID', 'client');
  vi.stubEnv('AZURE_TENANT_ID', 'tenant');
  vi.stubEnv('AZURE_AUTHORITY_HOST', undefined);
  vi.stubEnv('AZURE_FEDERATED_TOKEN_FILE', join(directory.path, 'subject'));
  tokens = [kubernetes.token];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((clusters) => clusters.close()));
  await directory.remove();
});

/** Clouds whose clusters are all the API server of the tests, and whose tokens it takes. */
function clouds() {
  const token = () => ({ access_token: tokens.length > 1 ? tokens.shift() : tokens[0], expires_in: 3600 });
  const isOurs = ({ form }: CloudRequest) =>
    [form.subject_token, form.client_assertion].includes('the-token-of-a-workload');
  const login = (request: CloudRequest): [number, unknown] => (isOurs(request) ? [200, token()] : [401, {}]);
  const kubeconfig = stringify({
    'current-context': 'shop',
    contexts: [{ name: 'shop', context: { cluster: 'shop', user: 'user' } }],
    clusters: [
      {
        name: 'shop',
        cluster: { server: kubernetes.server, 'certificate-authority-data': base64(kubernetes.caData) },
      },
    ],
    users: [{ name: 'user', user: { exec: { command: 'touch', args: [join(directory.path, 'was-run')] } } }],
  });
  return fakeClouds({
    'sts.googleapis.com': login,
    'container.googleapis.com': () => [
      200,
      {
        endpoint: new URL(kubernetes.server).host,
        masterAuth: { clusterCaCertificate: base64(kubernetes.caData) },
      },
    ],
    'login.microsoftonline.com': login,
    'management.azure.com': () => [200, { kubeconfigs: [{ value: base64(kubeconfig) }] }],
  });
}

function open(): Clusters {
  const fleet = loadFleet(FLEET, { path: join(directory.path, 'slipway.yaml') });
  const secret = () => Promise.reject(new Error('no secret is read'));
  const clusters = openClusters({ fleet, secret }, createNetworkPolicy({ allow: [] }), { http: clouds() });
  opened.push(clusters);
  return clusters;
}

test.each(['google', 'azure'])(
  'a cluster that is named in a cloud (%s) is reached without a kubeconfig',
  async (name) => {
    const check = await checkCluster({ now: Date.now }, await open().cluster(name));
    expect(check.version).toMatch(/^v1\./);
    expect(check.facts).toContain('may do everything');
    expect(existsSync(join(directory.path, 'was-run'))).toBe(false);
  },
);

test.each(['google', 'azure'])(
  'a token that the cluster refuses (%s) is replaced once, and the request succeeds',
  async (name) => {
    // Of Azure the first token is for its own API.
    tokens = [...(name === 'azure' ? ['for-azure-itself'] : []), 'a-token-that-has-ended', kubernetes.token];
    const { client } = await open().cluster(name);
    await expect(client.raw('/api/v1/namespaces/default')).resolves.toMatchObject({ kind: 'Namespace' });
    expect(tokens).toEqual([kubernetes.token]);
  },
);

test('a cluster that takes none of the tokens says so, without one', async () => {
  tokens = ['a-token-of-somebody-else'];
  const { client } = await open().cluster('google');
  const refused = client.raw('/api/v1/namespaces/default');
  await expect(refused).rejects.toMatchObject({ code: 401 });
  await expect(refused).rejects.not.toThrow(/a-token-of-somebody-else/);
});

test('slipway cluster list and check name the cluster, what is wrong and what to do', async () => {
  await writeFiles(directory.path, { 'slipway.yaml': FLEET });
  const refusing: Server = createServer((_request, response) => void response.writeHead(403).end());
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/`;
  const env = {
    AZURE_CLIENT_ID: 'client',
    AZURE_TENANT_ID: 'tenant',
    AZURE_FEDERATED_TOKEN_FILE: join(directory.path, 'subject'),
    AZURE_AUTHORITY_HOST: at,
    GOOGLE_APPLICATION_CREDENTIALS: join(directory.path, 'subject'),
  };
  try {
    const list = await runCli(['cluster', 'list'], { cwd: directory.path, env });
    expect(list.stdout).toMatch(/google .*GKE shop[\s\S]*azure .*AKS shop/);
    const check = await runCli(['cluster', 'check'], { cwd: directory.path, env });
    expect(check.code).toBe(1);
    // The network policy holds for the APIs of clouds as well.
    expect(check.stdout).toMatch(
      /azure: problems\n.*the AKS cluster cannot be looked up: .*127\.0\.0\.1.*network\.allow/,
    );
    expect(check.stdout).toMatch(/google: problems\n.*the GKE cluster cannot be looked up: /);
    expect(check.stdout).not.toContain('the-token-of-a-workload');
  } finally {
    refusing.close();
  }
});
