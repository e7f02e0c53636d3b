import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../../lib/network.ts';
import { createNetworkPolicy, NetworkRefused } from '../../../lib/network.ts';

function resolving(addresses: Record<string, string[]>): (host: string) => Promise<Address[]> {
  return async (host) =>
    (addresses[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

describe('createNetworkPolicy', () => {
  const strict = createNetworkPolicy({ allow: [], resolve: resolving({ 'github.com': ['140.82.121.3'] }) });

  it('lets the public internet through', async () => {
    expect(await strict.check('github.com')).toEqual([{ address: '140.82.121.3', family: 4 }]);
    expect(await strict.check('[2606:4700::1111]')).toEqual([{ address: '2606:4700::1111', family: 6 }]);
  });

  it.each([
    '127.0.0.1',
    '127.8.9.10',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    '::7f00:1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b::169.254.169.254',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
  ])('refuses %s', async (host) => {
    await expect(strict.check(host)).rejects.toBeInstanceOf(NetworkRefused);
  });

  it('says what to do about a refusal', async () => {
    const policy = createNetworkPolicy({ allow: [], resolve: resolving({ 'git.internal': ['10.0.0.5'] }) });
    await expect(policy.check('git.internal')).rejects.toThrow(
      'git.internal resolves to 10.0.0.5, which is private or reserved; if it is meant to be reached, add the host or its address range to network.allow',
    );
    await expect(policy.check('nowhere.internal')).rejects.toThrow('nowhere.internal has no address');
  });

  it('opens what a range or an address in the allow list covers', async () => {
    const policy = createNetworkPolicy({
      allow: ['10.0.0.0/8', '::1', '169.254.169.254'],
      resolve: resolving({}),
    });
    expect(await policy.check('10.9.9.9')).toHaveLength(1);
    expect(await policy.check('::ffff:10.9.9.9')).toHaveLength(1);
    expect(await policy.check('::1')).toHaveLength(1);
    expect(await policy.check('169.254.169.254')).toHaveLength(1);
    await expect(policy.check('11.0.0.0')).resolves.toHaveLength(1);
    await expect(policy.check('127.0.0.1')).rejects.toBeInstanceOf(NetworkRefused);
  });

  it('opens private addresses of an allowed name, but never link-local or metadata ones', async () => {
    const resolve = resolving({
      'git.internal': ['10.0.0.5', '169.254.169.254'],
      'evil.internal': ['169.254.169.254'],
      'sub.corp.example': ['192.168.0.9'],
      'corp.example': ['192.168.0.8'],
    });
    const policy = createNetworkPolicy({
      allow: ['Git.internal', 'evil.internal', '*.corp.example'],
      resolve,
    });
    expect(await policy.check('GIT.internal')).toEqual([{ address: '10.0.0.5', family: 4 }]);
    await expect(policy.check('evil.internal')).rejects.toBeInstanceOf(NetworkRefused);
    expect(await policy.check('sub.corp.example')).toHaveLength(1);
    await expect(policy.check('corp.example')).rejects.toBeInstanceOf(NetworkRefused);
  });

  it('keeps only the allowed addresses of a name with several', async () => {
    const policy = createNetworkPolicy({ allow: [], resolve: resolving({ mixed: ['10.0.0.1', '1.1.1.1'] }) });
    expect(await policy.check('mixed')).toEqual([{ address: '1.1.1.1', family: 4 }]);
  });

  it.each(['10.0.0.0/33', 'http://git', 'a b', '', '*', '10.0.0.0/8/9', 'host/24'])(
    'refuses %j in the allow list',
    (entry) => {
      expect(() => createNetworkPolicy({ allow: [entry] })).toThrow(TypeError);
    },
  );

  it('refuses every IPv4-mapped spelling of every private address', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(10, 127, 0),
        fc.nat(255),
        fc.nat(255),
        fc.nat(255),
        async (a, b, c, d) => {
          const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
          for (const host of [
            `${a}.${b}.${c}.${d}`,
            `::ffff:${hex}`,
            `0:0:0:0:0:ffff:${hex}`,
            `64:ff9b::${hex}`,
          ])
            await expect(strict.check(host)).rejects.toBeInstanceOf(NetworkRefused);
        },
      ),
    );
  });
});
