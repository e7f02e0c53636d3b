import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { type Address, type NetworkPolicy, NetworkRefused } from '../network.ts';

/** Behind these stand metadata services of clouds, multicast and the machine itself, never a cluster. */
const FORBIDDEN: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
];
const LOOPBACK: readonly [string, number][] = [
  ['127.0.0.0', 8],
  ['::1', 128],
];

/** Options of {@link createClusterNetwork}. */
export interface ClusterNetworkOptions {
  /** Clusters on this machine may be reached. */
  loopback: boolean;
  /** Asked about what is refused here, so that the operator's allow list holds for clusters too. */
  otherwise?: NetworkPolicy;
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: (host: string) => Promise<Address[]>;
}

/**
 * The policy for clusters that the operator named in the fleet file: private networks are where clusters live, so they
 * are open; link-local, metadata and multicast addresses are not, and loopback only when asked for. One bad address
 * among several refuses the name.
 */
export function createClusterNetwork(options: ClusterNetworkOptions): NetworkPolicy {
  const resolve = options.resolve ?? resolveBySystem;
  const refused = blockList(options.loopback ? FORBIDDEN : [...FORBIDDEN, ...LOOPBACK]);
  return {
    async check(host) {
      const name = host.replace(/^\[|\]$/g, '').toLowerCase();
      const family = isIP(name);
      const addresses = family === 0 ? await resolve(name) : [{ address: name, family: family as 4 | 6 }];
      const bad = addresses.find((address) => contains(refused, address));
      if (addresses.length > 0 && bad === undefined) return addresses;
      if (options.otherwise) return options.otherwise.check(host);
      throw new NetworkRefused(
        host,
        bad === undefined ? 'has no address' : `stands for ${bad.address}, where no cluster may be`,
      );
    },
  };
}

async function resolveBySystem(host: string): Promise<Address[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function blockList(ranges: readonly [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges)
    list.addSubnet(address, prefix, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return list;
}

/** IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) are what they carry. */
function contains(list: BlockList, { address, family }: Address): boolean {
  if (family === 4) return list.check(address, 'ipv4');
  // Node compares IPv4-mapped addresses with the IPv4 ranges by itself.
  return list.check(address, 'ipv6') || carried(address).some((inner) => list.check(inner, 'ipv4'));
}

function carried(address: string): string[] {
  const { hostname } = new URL(`http://[${address.split('%')[0]}]`);
  const text = hostname.slice(1, -1);
  const match =
    /^(?:64:ff9b::|::ffff:|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ??
    /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4})/.exec(text);
  if (!match) return [];
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  return [[high >> 8, high & 255, low >> 8, low & 255].join('.')];
}
