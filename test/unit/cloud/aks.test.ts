import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { aksConnection } from '../../../lib/cloud/aks.ts';
import { fakeClouds } from '../../support/fake-clouds.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const CLUSTER = {
  subscription: '11111111-2222-3333-4444-555555555555',
  resourceGroup: 'shop (west)',
  name: 'shop',
};
const EXEC = { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'kubelogin', args: [] } };

function kubeconfigs(user: object, cluster: object = {}) {
  const text = stringify({
    'current-context': 'shop',
    contexts: [{ name: 'shop', context: { cluster: 'shop', user: 'clusterUser' } }],
    clusters: [
      {
        name: 'shop',
        cluster: {
          server: 'https://shop-1.hcp.westeurope.azmk8s.io:443',
          'certificate-authority-data': Buffer.from(PEM).toString('base64'),
          ...cluster,
        },
      },
    ],
    users: [{ name: 'clusterUser', user }],
  });
  return { kubeconfigs: [{ name: 'clusterUser', value: Buffer.from(text).toString('base64') }] };
}

function azure(status: number, answer: unknown) {
  return fakeClouds({ 'management.azure.com': () => [status, answer] });
}
const token = (resource: string) => async () => `token for ${resource}`;

describe('a cluster of AKS', () => {
  it('is reached where Azure says, with a token of Entra ID for AKS; nothing of its kubeconfig is run', async () => {
    const http = azure(200, kubeconfigs(EXEC));
    const connection = await aksConnection({ http, token }, CLUSTER);
    expect(connection).toMatchObject({
      server: 'https://shop-1.hcp.westeurope.azmk8s.io:443',
      caData: PEM,
    });
    expect(await connection.tokenSource?.()).toBe('token for 6dae42f8-4368-4678-94ff-3960e28e3630');
    const [{ method, url, headers } = {} as never] = http.requests;
    expect([method, headers.authorization]).toEqual([
      'POST',
      'Bearer token for https://management.azure.com',
    ]);
    expect(url.pathname).toBe(
      `/subscriptions/${CLUSTER.subscription}/resourceGroups/shop%20(west)/providers/Microsoft.ContainerService/managedClusters/shop/listClusterUserCredential`,
    );
    expect(Object.fromEntries(url.searchParams)).toEqual({ 'api-version': '2024-02-01', format: 'exec' });
  });

  it('is asked for by its public name, where the fleet file says so', async () => {
    const http = azure(200, kubeconfigs(EXEC));
    await aksConnection({ http, token }, { ...CLUSTER, publicName: true });
    expect(http.requests[0]?.url.searchParams.get('server-fqdn')).toBe('public');
  });

  it.each([
    [
      'a certificate',
      { 'client-certificate-data': 'eA==', 'client-key-data': 'eA==', token: 'a-static-token' },
    ],
    ['a token', { token: 'a-static-token' }],
  ])('that brings %s is not integrated with Entra ID: that is said, and never used', async (_name, user) => {
    const refused = aksConnection({ http: azure(200, kubeconfigs(user)), token }, CLUSTER);
    await expect(refused).rejects.toThrow(
      /the AKS cluster shop is not integrated with Microsoft Entra ID.*az aks update --enable-aad/,
    );
    await expect(refused).rejects.not.toThrow(/a-static-token/);
  });

  it.each([
    ['skips the check of certificates', { 'insecure-skip-tls-verify': true }, /insecure-skip-tls-verify/],
    ['leads through a proxy', { 'proxy-url': 'http://evil.example' }, /proxy-url/],
    ['has no TLS', { server: 'http://shop.example' }, /http/],
    ['reads a file', { 'certificate-authority-data': '', 'certificate-authority': '/etc/passwd' }, /file/],
  ])('whose kubeconfig %s is refused', async (_name, cluster, message) => {
    const refused = aksConnection({ http: azure(200, kubeconfigs(EXEC, cluster)), token }, CLUSTER);
    await expect(refused).rejects.toThrow(message);
  });

  it('that Azure gives no kubeconfig of is named', async () => {
    for (const answer of [{}, { kubeconfigs: [] }])
      await expect(aksConnection({ http: azure(200, answer), token }, CLUSTER)).rejects.toThrow(
        'no kubeconfig of the AKS cluster shop',
      );
  });

  it.each([
    [
      404,
      /^there is no AKS cluster shop in resource group shop \(west\) of subscription 11111111-.* answered 404: gone/,
    ],
    [
      403,
      /listClusterUserCredential\/action on the AKS cluster shop \(role Azure Kubernetes Service Cluster User Role\)/,
    ],
    [401, /^Azure does not accept the token/],
    [500, /^management\.azure\.com answered 500: gone$/],
  ])('says what to do when Azure answers %i', async (status, message) => {
    const http = azure(status, { error: { code: 'X', message: 'gone' } });
    const refused = aksConnection({ http, token }, CLUSTER);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/token for/);
  });
});
