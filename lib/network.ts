import { lookup as dnsLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** An address that a host name stands for. */
export interface Address {
  address: string;
  family: 4 | 6;
}

/** Decides which hosts may be connected to. */
export interface NetworkPolicy {
  /**
   * The addresses of a host that may be dialled now. Whoever connects must connect to one of these, not resolve the name again.
   * @param host a name or an address, without port; an IPv6 address may stand in brackets
   * @throws NetworkRefused when none of its addresses is allowed; the resolver's own error when the name is unknown
   */
  check(host: string): Promise<Address[]>;
}

/** The network policy refuses a host. The message names the host and what to add to the fleet file. */
export class NetworkRefused extends Error {
  override readonly name = 'NetworkRefused';
  readonly host: string;

  constructor(host: string, why: string) {
    super(
      `${host} ${why}; if it is meant to be reached, add the host or its address range to network.allow in slipway.yaml`,
    );
    this.host = host;
  }
}

/** Ranges that are not the public internet. https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6- */
const PRIVATE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::/96',
  'fc00::/7',
];

/**
 * Never opened by a host name in the allow list, only by an address range: a name is under the control of whoever runs its
 * DNS, and behind these stand cloud metadata services, multicast and the machine itself.
 */
const FORBIDDEN = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '::/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
];

/**
 * A policy that refuses loopback, private, link-local, unspecified, multicast and metadata addresses unless allowed.
 * @param options.allow host names (`git.internal`, `*.internal` for all below it), addresses, or ranges (`10.0.0.0/8`).
 *   Anything else throws a TypeError.
 * @param options.resolve all addresses of a name; the system's resolver when absent
 */
export function createNetworkPolicy(options: {
  allow: readonly string[];
  resolve?: (host: string) => Promise<Address[]>;
}): NetworkPolicy {
  const resolve = options.resolve ?? resolveBySystem;
  const ranges = options.allow.filter((entry) => isRange(entry));
  const names = options.allow.filter((entry) => !isRange(entry)).map((entry) => checkName(entry));
  const allowed = blockList(ranges);
  const privateRanges = blockList(PRIVATE);
  const forbidden = blockList(FORBIDDEN);

  function permits(address: Address, byName: boolean): boolean {
    const plain = embedded(address);
    if (contains(allowed, address) || contains(allowed, plain)) return true;
    if (contains(forbidden, address) || contains(forbidden, plain)) return false;
    return byName || !(contains(privateRanges, address) || contains(privateRanges, plain));
  }

  return {
    async check(host) {
      const name = host.replace(/^\[|\]$/g, '').toLowerCase();
      const family = isIP(name);
      const addresses: Address[] =
        family === 0 ? await resolve(name) : [{ address: name, family: family as 4 | 6 }];
      const byName = names.some((allowedName) => matches(allowedName, name));
      const usable = addresses.filter((address) => permits(address, byName));
      if (usable.length > 0) return usable;
      const shown = addresses.map(({ address }) => address).join(', ');
      throw new NetworkRefused(host, describeRefusal(name, shown));
    },
  };
}

function describeRefusal(name: string, shown: string): string {
  if (shown === '') return 'has no address';
  if (shown === name) return 'is a private or reserved address';
  return `resolves to ${shown}, which is private or reserved`;
}

async function resolveBySystem(host: string): Promise<Address[]> {
  const found = await dnsLookup(host, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  return name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1;
}

function isRange(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function checkName(entry: string): string {
  if (/^(\*\.)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(entry)) return entry.toLowerCase();
  throw new TypeError(
    `network.allow: "${entry}" is no host name, address or range such as git.internal, 10.1.2.3 or 10.0.0.0/8`,
  );
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family);
  }
  return list;
}

function contains(list: BlockList, { address, family }: Address): boolean {
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Prefixes in which an IPv6 address carries an IPv4 address, and the 16-bit group at which that begins. */
const CARRIERS: readonly [prefix: string, group: number][] = [
  ['0:0:0:0:0:ffff:', 6],
  ['64:ff9b:0:0:0:0:', 6],
  ['2002:', 1],
];

/** The IPv4 address inside an IPv4-mapped, NAT64 or 6to4 address; otherwise the address itself. */
function embedded(address: Address): Address {
  if (address.family === 4) return address;
  const groups = expand(address.address);
  const text = `${groups.map((group) => group.toString(16)).join(':')}`;
  const carrier = CARRIERS.find(([prefix]) => text.startsWith(prefix));
  if (!carrier) return address;
  const [high = 0, low = 0] = groups.slice(carrier[1], carrier[1] + 2);
  return { address: [high >> 8, high & 255, low >> 8, low & 255].join('.'), family: 4 };
}

/** The eight 16-bit groups of an IPv6 address. */
function expand(address: string): number[] {
  const plain = (address.split('%')[0] as string).replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_all, a: string, b: string, c: string, d: string) =>
      `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  );
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...(tail === undefined ? [] : zeros), ...last].map((group) => Number.parseInt(group, 16));
}
