import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRegistryLogins } from '../../../functions/open-registry-logins.ts';
import type { CloudName } from '../../../lib/cloud/registry-login.ts';
import { ACCESS_KEY, registryPassword, SECRET_KEY, startFakeAws } from '../../support/fake-aws.ts';
import { fakeClouds } from '../../support/fake-clouds.ts';

const { signal } = new AbortController();
const ARTIFACTS = 'europe-docker.pkg.dev';

describe('the identity that registries are opened with', () => {
  let place: string;
  const logins: { close(): Promise<void> }[] = [];
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'slipway-logins-'));
    const names = [
      'AZURE_CLIENT_ID',
      'AZURE_TENANT_ID',
      'AZURE_AUTHORITY_HOST',
      'AZURE_FEDERATED_TOKEN_FILE',
    ];
    for (const name of [...names, 'GOOGLE_APPLICATION_CREDENTIALS']) vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await Promise.all(logins.splice(0).map((one) => one.close()));
    rmSync(place, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    writeFileSync(join(place, name), text);
    return join(place, name);
  }

  function login(http: ReturnType<typeof fakeClouds>, cloud: CloudName, host: string) {
    const opened = openRegistryLogins(http);
    logins.push(opened);
    return opened.login(cloud, host, signal);
  }

  it('is that of AWS’s own environment', async () => {
    const server = await startFakeAws();
    vi.stubEnv('AWS_ACCESS_KEY_ID', ACCESS_KEY);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET_KEY);
    vi.stubEnv('AWS_SESSION_TOKEN', undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_ECR', server.url);
    try {
      const opened = await login(fakeClouds({}), 'aws', '012345678910.dkr.ecr.us-east-2.amazonaws.com');
      expect(opened).toMatchObject({ username: 'AWS', password: registryPassword });
    } finally {
      await server.stop();
    }
  });

  it('is the workload identity of Azure that a file holds, at the authority of its cloud', async () => {
    vi.stubEnv('AZURE_CLIENT_ID', 'client');
    vi.stubEnv('AZURE_TENANT_ID', 'tenant');
    vi.stubEnv('AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.us/');
    vi.stubEnv('AZURE_FEDERATED_TOKEN_FILE', file('token', 'the-first-token\n'));
    const assertions: unknown[] = [];
    const http = fakeClouds({
      'login.microsoftonline.us': ({ url, form }) => {
        assertions.push([url.pathname, form.client_id, form.client_assertion]);
        return [200, { access_token: 'entra-token' }];
      },
      'acme.azurecr.io': ({ form }) => [
        form.access_token === 'entra-token' ? 200 : 401,
        { refresh_token: 'acr' },
      ],
    });
    expect((await login(http, 'azure', 'acme.azurecr.io')).password).toBe('acr');
    // Such files are replaced while a server runs.
    file('token', 'the-second-token\n');
    await login(http, 'azure', 'acme.azurecr.io');
    const path = '/tenant/oauth2/v2.0/token';
    expect(assertions).toEqual([
      [path, 'client', 'the-first-token'],
      [path, 'client', 'the-second-token'],
    ]);
  });

  it.each([
    ['text', 'the-token-of-google\n', undefined],
    ['json', '{"id_token":"the-token-of-google"}', { type: 'json', subject_token_field_name: 'id_token' }],
  ])('is the federation of Google whose token a file holds as %s', async (_name, token, format) => {
    const credentials = {
      type: 'external_account',
      audience: '//iam.googleapis.com/pool',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      credential_source: { file: file('subject', token), format },
    };
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file('credentials.json', JSON.stringify(credentials)));
    const http = fakeClouds({
      'sts.googleapis.com': ({ form }) =>
        form.subject_token === 'the-token-of-google' && form.audience === credentials.audience
          ? [200, { access_token: 'google-token' }]
          : [400, {}],
    });
    expect(await login(http, 'gcp', ARTIFACTS)).toMatchObject({ password: 'google-token' });
  });

  it('is never a long-lived key in a file of Google', async () => {
    const key = { type: 'service_account', private_key: 'the-private-key' };
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file('key.json', JSON.stringify(key)));
    const refused = login(fakeClouds({}), 'gcp', ARTIFACTS);
    await expect(refused).rejects.toThrow(/must name a file of type external_account/);
    await expect(refused).rejects.not.toThrow(/the-private-key/);
  });

  it('is shown to no host of another owner', async () => {
    const http = fakeClouds({});
    for (const [cloud, host] of [
      ['aws', 'acme.azurecr.io'],
      ['azure', 'acme.azurecr.io.evil.example'],
      ['gcp', 'evil.example'],
    ] as const)
      await expect(login(http, cloud, host)).rejects.toThrow(`${host} is no registry of ${cloud}`);
    expect(http.requests).toEqual([]);
  });
});
