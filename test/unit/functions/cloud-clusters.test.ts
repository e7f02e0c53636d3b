import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CloudClusters, openCloudClusters } from '../../../functions/cloud-clusters.ts';
import { openClusters } from '../../../functions/open-clusters.ts';
import type { AwsApi } from '../../../lib/cloud/aws-api.ts';
import type { FleetCluster } from '../../../lib/fleet/cluster.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { createNetworkPolicy } from '../../../lib/network.ts';
import { ACCESS_KEY, type FakeAws, fakeAwsApi, SECRET_KEY, startFakeAws } from '../../support/fake-aws.ts';
import { type CloudRequest, type FakeClouds, fakeClouds } from '../../support/fake-clouds.ts';

const SOURCE = '{url: "https://git.example.com/fleet.git"}';
const POOL = 'projects/1/locations/global/workloadIdentityPools/aws/providers/slipway';
const ID = '11111111-2222-3333-4444-555555555555';
const GKE = 'project: acme-prod, location: europe-west1, name: shop';
const AKS = `subscription: ${ID}, resourceGroup: shop, name: shop`;
const MINUTE = 60_000;
const KUBECONFIG = Buffer.from(
  JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://shop.azmk8s.io' } }],
    users: [{ name: 'x', user: { exec: { command: 'kubelogin' } } }],
  }),
).toString('base64');

let place: string;
let server: FakeAws;
let now: number;
let aws: () => Promise<AwsApi>;
let address: string;
let tokens: number;
let hosts: Record<string, (request: CloudRequest) => [number, unknown]>;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'slipway-clouds-'));
  server = await startFakeAws();
  server.sts.webIdentity = 'aws-token';
  now = Date.UTC(2026, 0, 1);
  address = '203.0.113.7';
  tokens = 0;
  const api = fakeAwsApi(server, { now: () => now });
  aws = async () => api;
  for (const name of ['CLIENT_ID', 'TENANT_ID', 'AUTHORITY_HOST', 'FEDERATED_TOKEN_FILE'])
    vi.stubEnv(`AZURE_${name}`, undefined);
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  const token = (): string => {
    tokens += 1;
    return `token-${tokens}`;
  };
  hosts = {
    'sts.googleapis.com': () => [200, { access_token: token(), expires_in: 3600 }],
    'iamcredentials.googleapis.com': ({ headers }) => [
      200,
      {
        accessToken: `${headers.authorization?.slice(7)} of the account`,
        expireTime: new Date(now + 60 * MINUTE).toISOString(),
      },
    ],
    'container.googleapis.com': () => [
      200,
      { endpoint: address, masterAuth: { clusterCaCertificate: Buffer.from('pem').toString('base64') } },
    ],
    'login.microsoftonline.com': ({ form }) => [
      200,
      { access_token: `${token()} for ${form.scope}`, expires_in: 3600 },
    ],
    'management.azure.com': () => [200, { kubeconfigs: [{ value: KUBECONFIG }] }],
  };
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  rmSync(place, { recursive: true, force: true });
});

function open(http: FakeClouds): CloudClusters {
  const metadata = fakeClouds({ '169.254.169.254': () => [404, {}] });
  return openCloudClusters({ http, metadata, now: () => now }, aws);
}

function fleetOf(...ways: string[]) {
  const clusters = ways.map((way, index) => `  - {name: c${index}, ${way}, source: ${SOURCE}}\n`);
  return loadFleet(`clusters:\n${clusters.join('')}`, { path: join(place, 'slipway.yaml') });
}

const clusterOf = (way: string): FleetCluster => fleetOf(way).clusters[0] as FleetCluster;

describe('a cluster of GKE is reached', () => {
  const federated = `gke: {${GKE}, awsFederation: {provider: ${POOL}}}`;

  it('by the AWS identity of this process, which Google checks, as the pool’s own identity', async () => {
    const http = fakeClouds(hosts);
    const connection = await open(http).connection(clusterOf(federated));
    expect(await connection.tokenSource?.()).toBe('token-1');
    const [exchange] = http.requests;
    expect(exchange?.form).toMatchObject({
      audience: `//iam.googleapis.com/${POOL}`,
      subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
    const subject = decodeURIComponent(exchange?.form.subject_token ?? '');
    expect(JSON.parse(subject)).toMatchObject({ method: 'POST' });
    expect(subject).toContain(`//iam.googleapis.com/${POOL}`);
    expect(subject).not.toContain(SECRET_KEY);
  });

  it('as a service account, where one is named', async () => {
    const account = 'slipway@acme-prod.iam.gserviceaccount.com';
    const http = fakeClouds(hosts);
    const way = `gke: {${GKE}, awsFederation: {provider: ${POOL}, serviceAccount: ${account}}}`;
    const connection = await open(http).connection(clusterOf(way));
    expect(await connection.tokenSource?.()).toBe('token-1 of the account');
    expect(http.requests[1]?.url.pathname).toBe(
      `/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateAccessToken`,
    );
  });

  it('by the federation of AWS that GOOGLE_APPLICATION_CREDENTIALS names', async () => {
    const credentials = join(place, 'credentials.json');
    writeFileSync(
      credentials,
      JSON.stringify({
        type: 'external_account',
        audience: `//iam.googleapis.com/${POOL}`,
        subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
        token_url: 'https://sts.googleapis.com/v1/token',
        credential_source: {
          environment_id: 'aws1',
          url: 'http://169.254.169.254/latest/meta-data/iam/security-credentials',
        },
      }),
    );
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', credentials);
    const http = fakeClouds(hosts);
    const connection = await open(http).connection(clusterOf(`gke: {${GKE}}`));
    expect(await connection.tokenSource?.()).toBe('token-1');
    expect(http.requests[0]?.form.subject_token).toContain('GetCallerIdentity');
  });

  it('with one token for all clusters of one identity, renewed before it ends and when a cluster refuses it', async () => {
    const clusters = open(fakeClouds(hosts));
    const [one, other] = await Promise.all([
      clusters.connection(clusterOf(federated)),
      clusters.connection(clusterOf(federated.replace('name: shop', 'name: other'))),
    ]);
    expect([await one?.tokenSource?.(), await other?.tokenSource?.()]).toEqual(['token-1', 'token-1']);
    expect(await one?.tokenSource?.()).toBe('token-2');
    now += 56 * MINUTE;
    expect(await other?.tokenSource?.()).toBe('token-3');
    const alone = await clusters.connection(clusterOf(federated.replace(POOL, POOL.replace('aws', 'else'))));
    expect(await alone.tokenSource?.()).toBe('token-4');
  });

  it('with a new token where Google’s own API refuses the one that is kept', async () => {
    const answer = hosts['container.googleapis.com'] as (request: CloudRequest) => [number, unknown];
    hosts['container.googleapis.com'] = (request) =>
      request.headers.authorization === 'Bearer token-1' ? [401, {}] : answer(request);
    const connection = await open(fakeClouds(hosts)).connection(clusterOf(federated));
    expect(await connection.tokenSource?.()).toBe('token-2');
    hosts['container.googleapis.com'] = () => [401, {}];
    await expect(open(fakeClouds(hosts)).connection(clusterOf(federated))).rejects.toThrow(
      /^Google Cloud does not accept the token of this identity/,
    );
    expect(tokens).toBe(4);
  });

  it('not where this process has no identity of Google: what to name is said', async () => {
    const clusters = open(fakeClouds(hosts));
    await expect(clusters.connection(clusterOf(`gke: {${GKE}}`))).rejects.toThrow(
      /the metadata service of Google answered 404: .* no service account to use; name awsFederation of gke in the fleet file, or give this process a workload identity/,
    );
  });
});

describe('a cluster of AKS is reached', () => {
  it('not where this process has no identity of Azure: what to name is said', async () => {
    await expect(open(fakeClouds(hosts)).connection(clusterOf(`aks: {${AKS}}`))).rejects.toThrow(
      /the metadata service of Azure answered 404: .* no managed identity to use; name awsFederation of aks/,
    );
  });

  const federated = `aks: {${AKS}, awsFederation: {tenant: ${ID}, client: ${ID}}}`;

  it('by a token of the AWS identity of this process, exchanged for one for AKS', async () => {
    const http = fakeClouds(hosts);
    const connection = await open(http).connection(clusterOf(federated));
    const scope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';
    expect(await connection.tokenSource?.()).toBe(`token-2 for ${scope}`);
    const logins = http.requests.filter(({ url }) => url.host === 'login.microsoftonline.com');
    expect(
      logins.map(({ url, form }) => [url.pathname, form.scope, form.client_id, form.client_assertion]),
    ).toEqual(
      ['https://management.azure.com/.default', scope].map((each) => [
        `/${ID}/oauth2/v2.0/token`,
        each,
        ID,
        'aws-token',
      ]),
    );
  });

  it('by the workload identity that a file holds', async () => {
    writeFileSync(join(place, 'token'), 'token-of-a-file\n');
    vi.stubEnv('AZURE_CLIENT_ID', 'client');
    vi.stubEnv('AZURE_TENANT_ID', 'tenant');
    vi.stubEnv('AZURE_FEDERATED_TOKEN_FILE', join(place, 'token'));
    const http = fakeClouds(hosts);
    await open(http).connection(clusterOf(`aks: {${AKS}}`));
    expect(http.requests[0]?.form).toMatchObject({
      client_id: 'client',
      client_assertion: 'token-of-a-file',
    });
    expect(server.sts.requests).toEqual([]);
  });

  it('not from an AWS account that gives no tokens of OpenID Connect: how to switch that on is said', async () => {
    server.sts.webIdentity = undefined;
    await expect(open(fakeClouds(hosts)).connection(clusterOf(federated))).rejects.toThrow(
      'aws iam enable-outbound-web-identity-federation',
    );
  });
});

describe('what a cloud says of a cluster', () => {
  const way = `gke: {${GKE}, awsFederation: {provider: ${POOL}}}`;

  beforeEach(() => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', ACCESS_KEY);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET_KEY);
    vi.stubEnv('AWS_SESSION_TOKEN', undefined);
  });

  async function opening(http: FakeClouds, use: (cluster: () => Promise<unknown>) => Promise<void>) {
    const secret = () => Promise.reject(new Error('no secret is read'));
    const policy = createNetworkPolicy({ allow: [] });
    const clusters = openClusters({ fleet: fleetOf(way), secret }, policy, { http, now: () => now });
    try {
      await use(async () => (await clusters.cluster('c0')).client);
    } finally {
      await clusters.close();
    }
  }
  const looks = ({ requests }: FakeClouds) =>
    requests.filter(({ url }) => url.host === 'container.googleapis.com').length;

  it('is believed for a quarter of an hour, and the connection is kept while it stays true', async () => {
    const http = fakeClouds(hosts);
    await opening(http, async (cluster) => {
      const first = await cluster();
      now += 15 * MINUTE - 1;
      expect(await cluster()).toBe(first);
      expect(looks(http)).toBe(1);
      now += 1;
      expect(await Promise.all([cluster(), cluster()])).toEqual([first, first]);
      expect(looks(http)).toBe(2);
      now += 15 * MINUTE;
      address = '203.0.113.8';
      const moved = await cluster();
      expect(moved).not.toBe(first);
      expect(await cluster()).toBe(moved);
    });
  });

  it('is used on while the cloud does not answer', async () => {
    const http = fakeClouds(hosts);
    await opening(http, async (cluster) => {
      const first = await cluster();
      now += 20 * MINUTE;
      hosts['container.googleapis.com'] = () => [503, {}];
      expect(await cluster()).toBe(first);
    });
  });

  it('names the cluster when it cannot be looked up, and is asked for again the next time', async () => {
    const http = fakeClouds(hosts);
    const answer = hosts['container.googleapis.com'] as (request: CloudRequest) => [number, unknown];
    hosts['container.googleapis.com'] = () => [404, {}];
    await opening(http, async (cluster) => {
      await expect(cluster()).rejects.toThrow(
        /cluster c0: the GKE cluster cannot be looked up: there is no GKE cluster shop in europe-west1/,
      );
      hosts['container.googleapis.com'] = answer;
      await expect(cluster()).resolves.toBeDefined();
    });
  });
});
