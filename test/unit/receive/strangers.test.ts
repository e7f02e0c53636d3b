import { describe, expect, it } from 'vitest';
import { Strangers } from '../../../lib/receive/strangers.ts';

function setUp(addresses = 100) {
  let time = 1_000_000;
  const limit = new Strangers({ burst: 3, forgiveMs: 1_000, addresses, now: () => time });
  return {
    limit,
    pass(ms: number) {
      time += ms;
    },
  };
}

describe('Strangers', () => {
  it('lets an address fail a few times, then limits it, and forgives one failure after another', () => {
    const { limit, pass } = setUp();
    expect(['a', 'a', 'a', 'a', 'a'].map((address) => limit.failed(address))).toEqual([
      'first',
      'known',
      'known',
      'limited',
      'limited',
    ]);
    expect(limit.isLimited('a')).toBe(true);
    expect(limit.retryAfterMs('a')).toBe(1_000);
    pass(1_000);
    expect(limit.isLimited('a')).toBe(false);
    expect(limit.failed('a')).toBe('known');
    expect(limit.isLimited('a')).toBe(true);
    pass(3_000);
    expect(limit.failed('a')).toBe('first');
  });

  it('does not let failures while limited add to the wait', () => {
    const { limit, pass } = setUp();
    for (let count = 0; count < 1_000; count += 1) limit.failed('a');
    pass(1_000);
    expect(limit.isLimited('a')).toBe(false);
  });

  it('holds nothing against other addresses', () => {
    const { limit } = setUp();
    for (let count = 0; count < 10; count += 1) limit.failed('192.0.2.1');
    expect(limit.isLimited('192.0.2.2')).toBe(false);
  });

  it('takes a network of IPv6 for one address, and an IPv4 address in either spelling', () => {
    const { limit } = setUp();
    for (const address of ['2001:db8:0:1::1', '2001:DB8:0:1:ffff::2', '2001:db8:0:1:1:2:3:4']) {
      limit.failed(address);
    }
    expect(limit.isLimited('2001:db8::1:0:0:0:9')).toBe(true);
    expect(limit.isLimited('2001:db8:0:2::1')).toBe(false);
    for (let count = 0; count < 3; count += 1) limit.failed('::ffff:192.0.2.1');
    expect(limit.isLimited('192.0.2.1')).toBe(true);
    expect(limit.isLimited('::1')).toBe(false);
  });

  it('remembers a bounded number of addresses', () => {
    const { limit } = setUp(100);
    for (let count = 0; count < 10_000; count += 1) limit.failed(`10.0.${count >> 8}.${count & 255}`);
    expect(limit.size).toBe(100);
  });
});
