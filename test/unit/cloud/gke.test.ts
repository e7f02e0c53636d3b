import { describe, expect, it } from 'vitest';
import { gkeConnection } from '../../../lib/cloud/gke.ts';
import { fakeClouds } from '../../support/fake-clouds.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const CLUSTER = { project: 'acme-prod', location: 'europe-west1', name: 'shop' };
const FOUND = {
  name: 'shop',
  status: 'RUNNING',
  endpoint: '203.0.113.7',
  masterAuth: { clusterCaCertificate: Buffer.from(PEM).toString('base64') },
  privateClusterConfig: { privateEndpoint: '10.0.0.2' },
  controlPlaneEndpointsConfig: {
    dnsEndpointConfig: { endpoint: 'gke-1234.europe-west1.gke.goog' },
    ipEndpointsConfig: { privateEndpoint: '10.0.0.3' },
  },
};

function google(status: number, answer: unknown) {
  return fakeClouds({ 'container.googleapis.com': () => [status, answer] });
}
const token = async () => 'google-token';

describe('a cluster of GKE', () => {
  it('is reached at the address and by the authority that Google says, with the token that Google’s API takes', async () => {
    const http = google(200, FOUND);
    const connection = await gkeConnection({ http, token }, CLUSTER);
    expect(connection).toMatchObject({ server: 'https://203.0.113.7', caData: PEM });
    expect(await connection.tokenSource?.()).toBe('google-token');
    expect(http.requests).toMatchObject([
      { method: 'GET', headers: { authorization: 'Bearer google-token' }, body: '' },
    ]);
    expect(http.requests[0]?.url.href).toBe(
      'https://container.googleapis.com/v1/projects/acme-prod/locations/europe-west1/clusters/shop',
    );
  });

  it('is reached at its private address, where the fleet file says so', async () => {
    const at = { ...CLUSTER, endpoint: 'private' } as const;
    expect((await gkeConnection({ http: google(200, FOUND), token }, at)).server).toBe('https://10.0.0.3');
    const older = { ...FOUND, controlPlaneEndpointsConfig: undefined };
    const connection = await gkeConnection({ http: google(200, older), token }, at);
    expect(connection).toMatchObject({ server: 'https://10.0.0.2', caData: PEM });
  });

  it('is reached by its DNS name, where the fleet file says so, under a certificate that everybody trusts', async () => {
    const connection = await gkeConnection(
      { http: google(200, FOUND), token },
      { ...CLUSTER, endpoint: 'dns' },
    );
    expect(connection.server).toBe('https://gke-1234.europe-west1.gke.goog');
    expect(connection).not.toHaveProperty('caData');
  });

  it('that has no such address is named, and is never trusted without an authority', async () => {
    const making = google(200, { status: 'PROVISIONING' });
    await expect(gkeConnection({ http: making, token }, CLUSTER)).rejects.toThrow(
      'the GKE cluster shop has no address (status PROVISIONING)',
    );
    const hidden = google(200, { ...FOUND, controlPlaneEndpointsConfig: {}, privateClusterConfig: {} });
    for (const endpoint of ['private', 'dns'] as const)
      await expect(gkeConnection({ http: hidden, token }, { ...CLUSTER, endpoint })).rejects.toThrow(
        `has no ${endpoint} address (status RUNNING)`,
      );
    const open = google(200, { ...FOUND, masterAuth: {} });
    await expect(gkeConnection({ http: open, token }, CLUSTER)).rejects.toThrow('has no address');
  });

  it.each([
    [
      404,
      /^there is no GKE cluster shop in europe-west1 of project acme-prod; look at gke .* answered 404: Not found/,
    ],
    [
      403,
      /lacks the right container\.clusters\.get in project acme-prod \(role roles\/container\.clusterViewer/,
    ],
    [401, /^Google Cloud does not accept the token/],
    [503, /^container\.googleapis\.com answered 503: Not found/],
  ])('says what to do when Google answers %i', async (status, message) => {
    const http = google(status, { error: { code: status, message: 'Not found:\n the reason' } });
    const refused = gkeConnection({ http, token }, CLUSTER);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/google-token/);
  });
});
