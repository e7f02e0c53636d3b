import { describe, expect, it } from 'vitest';
import { createClusterNetwork } from '../../../lib/kube/cluster-network.ts';
import { createKubeClient } from '../../../lib/kube/rest.ts';
import { type Address, createNetworkPolicy, NetworkRefused } from '../../../lib/network.ts';
import { fakeApiServer, json } from './fake-api-server.ts';

const names: Record<string, Address[]> = {
  'kube.internal': [{ address: '10.1.2.3', family: 4 }],
  'evil.example': [
    { address: '203.0.113.1', family: 4 },
    { address: '169.254.169.254', family: 4 },
  ],
  'local.example': [{ address: '127.0.0.1', family: 4 }],
};
const resolve = async (host: string) => names[host] ?? [];

describe('createClusterNetwork', () => {
  const network = createClusterNetwork({ loopback: false, resolve });

  it.each(['10.0.0.1', '192.168.1.1', '172.16.0.1', '203.0.113.7', '[fd12::1]', 'kube.internal'])(
    'lets a cluster be at %s',
    async (host) => {
      expect(await network.check(host)).toHaveLength(1);
    },
  );

  it.each([
    '169.254.169.254',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '0.0.0.0',
    '224.0.0.1',
    '127.0.0.1',
    '[::1]',
    'evil.example',
    'local.example',
    'unknown.example',
  ])('refuses %s', async (host) => {
    await expect(network.check(host)).rejects.toBeInstanceOf(NetworkRefused);
  });

  it('lets clusters on this machine be reached when asked to', async () => {
    const local = createClusterNetwork({ loopback: true, resolve });
    expect(await local.check('127.0.0.1')).toHaveLength(1);
    expect(await local.check('local.example')).toHaveLength(1);
    await expect(local.check('169.254.169.254')).rejects.toThrow();
  });

  it('asks the allow list of the operator about what it would refuse', async () => {
    const otherwise = createNetworkPolicy({ allow: ['127.0.0.0/8'] });
    const open = createClusterNetwork({ loopback: false, otherwise, resolve });
    expect(await open.check('127.0.0.1')).toHaveLength(1);
    await expect(open.check('[::1]')).rejects.toBeInstanceOf(NetworkRefused);
  });
});

describe('a client with a network policy', () => {
  it('does not connect to what is refused, whether named or given as an address, and does not try again', async () => {
    await using api = await fakeApiServer((_request, response) => json(response, 200, {}));
    const refusing = createClusterNetwork({ loopback: false, resolve });
    for (const server of [api.server, api.server.replace('127.0.0.1', 'local.example')]) {
      let waits = 0;
      const client = createKubeClient(
        { server },
        {
          network: refusing,
          retry: {
            sleep: async () => {
              waits++;
            },
          },
        },
      );
      await expect(client.raw('/version')).rejects.toMatchObject({
        code: 0,
        cause: { name: 'NetworkRefused' },
      });
      expect(waits).toBe(0);
      await client.close();
    }
    expect(api.seen).toHaveLength(0);
  });

  it('dials the very address that was checked', async () => {
    await using api = await fakeApiServer((_request, response) => json(response, 200, { ok: true }));
    const network = createClusterNetwork({ loopback: true, resolve });
    const client = createKubeClient(
      { server: api.server.replace('127.0.0.1', 'local.example') },
      { network },
    );
    expect(await client.raw('/version')).toEqual({ ok: true });
    await client.close();
  });
});
