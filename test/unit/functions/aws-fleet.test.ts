import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFleetAt } from '../../../functions/aws/fleet.ts';
import { packFleet } from '../../../lib/fleet/pack-fleet.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FLEET = `aws: {region: eu-central-1}
clusters: [{name: prod, kubeconfig: ssm:/kubeconfig, source: {url: https://git.example.com/a/b.git, branch: main, path: ./}}]
`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: Server;
/** How the calls were signed. */
let signed: string[];
beforeEach(async () => {
  directory = await temporaryDirectory();
  signed = [];
  server = createServer((request, response) => {
    signed.push(request.headers.authorization ?? '');
    response.end('{"Parameter":{"Value":"the secret"}}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'us-west-2');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await directory.remove();
});

test.each([
  ['as it was written', 'slipway.yaml', FLEET],
  ['as it was packaged', 'fleet.json', packFleet(FLEET)],
])(
  'a fleet file %s has its secrets in its own region, whatever that of the shell is',
  async (_, name, text) => {
    const path = join(directory.path, name);
    await writeFile(path, text);
    const { secret } = await openFleetAt(path);
    expect(await secret('ssm:/kubeconfig')).toBe('the secret');
    expect(signed).toEqual([expect.stringContaining('/eu-central-1/ssm/')]);
  },
);
