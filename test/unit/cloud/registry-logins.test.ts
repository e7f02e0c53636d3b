import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAcr } from '../../../lib/cloud/acr.ts';
import { createAwsApi } from '../../../lib/cloud/aws-api.ts';
import { azureToken } from '../../../lib/cloud/azure-token.ts';
import { createEcr } from '../../../lib/cloud/ecr.ts';
import { createGcr } from '../../../lib/cloud/gcr.ts';
import { type GoogleFederation, googleToken } from '../../../lib/cloud/google-token.ts';
import type { RegistryCloud } from '../../../lib/cloud/registry-login.ts';
import { createRegistryLogins } from '../../../lib/cloud/registry-logins.ts';
import {
  ACCESS_KEY,
  type FakeAws,
  registryPassword,
  SECRET_KEY,
  startFakeAws,
} from '../../support/fake-aws.ts';
import { type CloudRequest, fakeClouds } from '../../support/fake-clouds.ts';

const { signal } = new AbortController();
const now = () => Date.UTC(2026, 0, 1);
const REGISTRIES = 'https://containerregistry.azure.net';
const textOf = async (token: Promise<{ value: string }>) => (await token).value;
const ECR = '012345678910.dkr.ecr.us-east-2.amazonaws.com';

describe('Amazon ECR', () => {
  let server: FakeAws;
  beforeAll(async () => {
    server = await startFakeAws();
  });
  afterAll(() => server.stop());

  it('is opened by a token that is asked for with a signed call, in the region of the registry', async () => {
    const services: string[] = [];
    const aws = createAwsApi({
      credentials: async () => ({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }),
      region: undefined,
      endpoint: (service) => {
        services.push(service);
        return server.url;
      },
      now,
    });
    const login = await createEcr(async () => aws).login(ECR, signal);
    expect(login).toEqual({ username: 'AWS', password: registryPassword, expiresAt: 1_893_456_000_123 });
    expect(services).toEqual(['ecr']);
  });

  it('is asked at the region of its host, wherever this process runs', async () => {
    const seen: unknown[] = [];
    const answer = JSON.stringify({
      authorizationData: [{ authorizationToken: btoa('AWS:x'), expiresAt: 1 }],
    });
    const call = async (request: { region?: string | undefined }) => {
      seen.push(request.region);
      return answer;
    };
    await createEcr(async () => ({ call })).login(ECR, signal);
    expect(seen).toEqual(['us-east-2']);
  });

  it('says so when there is no token in the answer', async () => {
    const ecr = createEcr(async () => ({ call: async () => '{"authorizationData":[]}' }));
    await expect(ecr.login(ECR, signal)).rejects.toThrow('ecr gave no token');
  });
});

/** https://learn.microsoft.com/azure/container-registry/container-registry-authentication */
function acrHost({ method, url, form }: CloudRequest): [number, unknown] {
  const isRight =
    method === 'POST' &&
    url.pathname === '/oauth2/exchange' &&
    form.grant_type === 'access_token' &&
    form.service === url.host &&
    form.access_token === 'entra-token';
  return isRight ? [200, { refresh_token: 'acr-refresh' }] : [401, { errors: [{ code: 'UNAUTHORIZED' }] }];
}

describe('Azure Container Registry', () => {
  const federated = {
    tenantId: 'tenant',
    authority: 'https://login.microsoftonline.com/',
    assertion: async () => 'service-account-token',
  };

  it('is opened by a workload identity, whose token goes to Entra ID alone', async () => {
    const http = fakeClouds({
      'login.microsoftonline.com': ({ url, form }) =>
        url.pathname === '/tenant/oauth2/v2.0/token' &&
        form.client_assertion === 'service-account-token' &&
        form.client_id === 'client' &&
        form.scope === 'https://containerregistry.azure.net/.default'
          ? [200, { access_token: 'entra-token', expires_in: 3599, token_type: 'Bearer' }]
          : [400, { error: 'invalid_request' }],
      'acme.azurecr.io': acrHost,
    });
    const metadata = fakeClouds({});
    const token = () =>
      textOf(azureToken({ http, metadata, now }, { clientId: 'client', federated }, REGISTRIES, signal));
    expect(await createAcr(http, token, now).login('acme.azurecr.io', signal)).toEqual({
      username: '00000000-0000-0000-0000-000000000000',
      password: 'acr-refresh',
      expiresAt: now() + 3_600_000,
    });
    const [, exchange] = http.requests;
    expect(exchange?.body).not.toContain('service-account-token');
  });

  it('is opened by the managed identity of the machine', async () => {
    const http = fakeClouds({ 'acme.azurecr.io': acrHost });
    const metadata = fakeClouds({
      '169.254.169.254': ({ url, headers }) =>
        headers.metadata === 'true' &&
        url.searchParams.get('resource') === 'https://containerregistry.azure.net' &&
        url.searchParams.get('client_id') === 'client'
          ? [200, { access_token: 'entra-token', expires_in: '86399' }]
          : [400, {}],
    });
    const token = () =>
      textOf(azureToken({ http, metadata, now }, { clientId: 'client' }, REGISTRIES, signal));
    const { password } = await createAcr(http, token, now).login('acme.azurecr.io', signal);
    expect(password).toBe('acr-refresh');
  });

  it('says who refused, without a secret', async () => {
    const refusing = fakeClouds({
      'login.microsoftonline.com': () => [401, { error: 'service-account-token' }],
    });
    const entra = azureToken(
      { http: refusing, metadata: fakeClouds({}), now },
      { clientId: 'c', federated },
      REGISTRIES,
      signal,
    );
    await expect(entra).rejects.toThrow(/^Microsoft Entra ID answered 401: [^-]*$/);
    const none = azureToken(
      { http: refusing, metadata: fakeClouds({ '169.254.169.254': () => [404, {}] }), now },
      {},
      REGISTRIES,
      signal,
    );
    await expect(none).rejects.toThrow('no managed identity');
    const acr = createAcr(fakeClouds({ 'acme.azurecr.io': acrHost }), async () => 'other', now);
    await expect(acr.login('acme.azurecr.io', signal)).rejects.toThrow(/answered 401.*AcrPull/);
  });
});

describe('Google Artifact Registry', () => {
  const federation: GoogleFederation = {
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    tokenUrl: 'https://sts.googleapis.com/v1/token',
    impersonationUrl:
      'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken',
    subjectToken: async () => 'subject-token',
  };
  const hosts = {
    'sts.googleapis.com': ({ form }: CloudRequest): [number, unknown] =>
      form.subject_token === 'subject-token' &&
      form.audience === federation.audience &&
      form.grant_type === 'urn:ietf:params:oauth:grant-type:token-exchange'
        ? [200, { access_token: 'federated-token', expires_in: 3600 }]
        : [400, {}],
    'iamcredentials.googleapis.com': ({ headers }: CloudRequest): [number, unknown] =>
      headers.authorization === 'Bearer federated-token'
        ? [200, { accessToken: 'account-token', expireTime: '2026-01-01T01:00:00Z' }]
        : [403, {}],
  };

  it('is opened by workload identity federation, as a service account where one is named', async () => {
    const both = { http: fakeClouds(hosts), metadata: fakeClouds({}), now };
    const gcr = createGcr((given) => textOf(googleToken(both, federation, given)), now);
    expect(await gcr.login('europe-docker.pkg.dev', signal)).toMatchObject({
      username: 'oauth2accesstoken',
      password: 'account-token',
    });
    const direct = { ...federation, impersonationUrl: undefined };
    expect(await googleToken(both, direct, signal)).toEqual({
      value: 'federated-token',
      expiresAt: now() + 3_600_000,
    });
  });

  it('is opened by the service account of the machine', async () => {
    const metadata = fakeClouds({
      '169.254.169.254': ({ headers }) =>
        headers['metadata-flavor'] === 'Google'
          ? [200, { access_token: 'machine-token', expires_in: 60 }]
          : [403, {}],
    });
    expect(await googleToken({ http: fakeClouds({}), metadata, now }, undefined, signal)).toEqual({
      value: 'machine-token',
      expiresAt: now() + 60_000,
    });
  });

  it('shows no token to a host that is not Google’s, whatever the file says', async () => {
    const http = fakeClouds(hosts);
    for (const change of [
      { tokenUrl: 'https://sts.googleapis.com.evil.example/v1/token' },
      { tokenUrl: 'http://sts.googleapis.com/v1/token' },
      { impersonationUrl: 'https://evil.example/' },
    ])
      await expect(
        googleToken({ http, metadata: http, now }, { ...federation, ...change }, signal),
      ).rejects.toThrow('nothing was sent there');
    expect(http.requests.map(({ url }) => url.host)).toEqual(['sts.googleapis.com']);
  });
});

describe('logins', () => {
  const clouds = {
    aws: createEcr(() => Promise.reject(new Error('not asked'))),
    azure: createAcr(fakeClouds({}), () => Promise.reject(new Error('not asked')), now),
    gcp: createGcr(() => Promise.reject(new Error('not asked')), now),
  };

  it.each([
    ['aws', 'ghcr.io'],
    ['aws', `${ECR}.evil.example`],
    ['aws', `evil.example/${ECR}`],
    ['azure', 'azurecr.io.evil.example'],
    ['azure', 'evilazurecr.io'],
    ['gcp', 'evil-gcr.io'],
    ['gcp', 'docker.pkg.dev.evil.example'],
    ['gcp', ECR],
  ] as const)('of %s are never made for %s', async (cloud, host) => {
    await expect(createRegistryLogins(clouds, now).login(cloud, host, signal)).rejects.toThrow(
      `${host} is no registry of ${cloud}; nothing was sent there`,
    );
  });

  it('know the hosts of their clouds', () => {
    const own: [RegistryCloud, string][] = [
      [clouds.aws, ECR],
      [clouds.aws, '012345678910.dkr.ecr.cn-north-1.amazonaws.com.cn'],
      [clouds.azure, 'acme.azurecr.io'],
      [clouds.azure, 'acme.westeurope.azurecr.io'],
      [clouds.gcp, 'gcr.io'],
      [clouds.gcp, 'eu.gcr.io'],
      [clouds.gcp, 'europe-west1-docker.pkg.dev'],
    ];
    for (const [cloud, host] of own) expect(cloud.owns(host), host).toBe(true);
  });

  it('are kept while they are good, each for its own registry, and made anew before they end', async () => {
    let time = 0;
    let made = 0;
    const gcp: RegistryCloud = {
      owns: () => true,
      login: async (host) => {
        made += 1;
        return { username: host, password: String(made), expiresAt: time + 3_600_000 };
      },
    };
    const logins = createRegistryLogins({ ...clouds, gcp }, () => time);
    const password = async (host: string) => (await logins.login('gcp', host, signal)).password;
    expect([await password('a'), await password('a'), await password('b')]).toEqual(['1', '1', '2']);
    time = 3_000_001;
    expect(await password('a')).toBe('3');
  });
});
