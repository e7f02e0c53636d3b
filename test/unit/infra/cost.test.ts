import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayOf, idleMonth } from '../../../infra/cost/idle-month.ts';
import { readPrices } from '../../../infra/cost/prices.ts';
import { type Counted, noneCounted } from '../../simulation/idle/meter.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

function priceFile(content: unknown): string {
  const file = join(directory.path, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const usdOf = (counted: Partial<Counted>, clusters: number, prices = readPrices()) =>
  idleMonth({ ...noneCounted(), ...counted }, clusters, prices).usd;

describe('the prices', () => {
  it('have a region, a date and a page of AWS each', () => {
    const { region, asOf, usd } = readPrices();
    expect(region).toBe('us-east-1');
    expect(asOf).toMatch(/^20\d\d-\d\d$/);
    for (const { source } of Object.values(usd))
      expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/.*pricing/);
  });

  it('can be others, by a file that names those that differ', () => {
    const file = priceFile({ region: 'eu-west-1', asOf: '2026-01', usd: { alarms: { usd: 0.3 } } });
    const prices = readPrices(file);
    expect(prices).toMatchObject({ region: 'eu-west-1', asOf: '2026-01' });
    expect(prices.usd.alarms.usd).toBe(0.3);
    expect(prices.usd.secrets).toEqual(readPrices().usd.secrets);
    // 22 alarms of the core stack and 4 of each cluster.
    expect(usdOf({}, 10, prices) - usdOf({}, 10)).toBeCloseTo((22 + 40) * 0.2);
  });

  it('are refused when a name is unknown or a file is none', () => {
    const misspelt = priceFile({ region: 'eu-west-1', asOf: '2026-01', usd: { alarm: { usd: 1 } } });
    expect(() => readPrices(misspelt)).toThrow(/prices of .* cannot be used: .*alarm/s);
    expect(() => readPrices(join(directory.path, 'none.json'))).toThrow(/none\.json cannot be used: ENOENT/);
  });
});

describe('the bill of a month', () => {
  it('has thirty days of what was counted, and what Lambda asks of empty queues', () => {
    const nothing = usdOf({}, 1);
    const requests = 1_000_000;
    expect(usdOf({ sqsFifo: requests }, 1) - nothing).toBeCloseTo(30 * 0.5);
    expect(usdOf({ table: { reads: 0, writes: requests } }, 1) - nothing).toBeCloseTo(30 * 0.625);
    const { items } = idleMonth(noneCounted(), 1, readPrices());
    const polls = items.filter(({ name }) => name.includes('polls')).map(({ quantity }) => quantity);
    // Pushes, statuses and one cluster; and the delay queue.
    expect(polls).toEqual([3 * 15 * 60 * 24 * 30, 15 * 60 * 24 * 30]);
  });

  it('pays for the time of a function by its memory', () => {
    const ms = 1_000_000;
    const of = (name: 'sweep' | 'reconcile') => {
      const counted = noneCounted();
      counted.functions[name].ms = ms;
      return usdOf(counted, 1) - usdOf({}, 1);
    };
    // 512 MB and 2 GB.
    expect(of('reconcile')).toBeCloseTo(4 * of('sweep'));
    expect(of('reconcile')).toBeCloseTo((ms / 1_000) * 2 * 30 * 0.0000133334);
  });
});

it('a day of more clusters is the shared part and as many times the part of one', () => {
  const day = (reads: number): Counted => ({ ...noneCounted(), table: { reads, writes: 0 } });
  expect(dayOf({ none: day(10), some: day(40), clusters: 3 }, 100).table.reads).toBe(10 + 100 * 10);
});
