import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dayOf, idleMonth, type Sample } from '../../../infra/cost/idle-month.ts';
import { readPrices } from '../../../infra/cost/prices.ts';
import { markdownOf } from '../../../infra/cost/print-months.ts';
import { sampleDay } from '../../../infra/cost/sample-day.ts';
import { idleDay } from './idle-day.ts';
import { DEFAULT_FLEET } from './idle-fleet.ts';
import type { Counted } from './meter.ts';

const SIZES = [10, 100, 1_000];

/** Long enough for every interval to have passed several times. */
const HOURS = 4;

function figuresOf(counted: object, path = ''): [string, number][] {
  return Object.entries(counted).flatMap(([name, value]): [string, number][] =>
    typeof value === 'number' ? [[path + name, value]] : figuresOf(value, `${path}${name}.`),
  );
}

/** By which part of the larger the figures of two days are apart at most. */
function apart(one: Counted, other: Counted): [string, number][] {
  const others = new Map(figuresOf(other));
  return figuresOf(one).map(([name, figure]) => {
    const second = others.get(name) ?? Number.NaN;
    return [name, figure === second ? 0 : Math.abs(figure - second) / Math.max(figure, second)];
  });
}

describe('a day in which nothing happens', () => {
  let defaults: Sample;
  beforeAll(async () => {
    defaults = await sampleDay(DEFAULT_FLEET);
  });

  it('asks of AWS in proportion to the clusters, so that a thousand of them need not be simulated', async () => {
    const day = (clusters: number) => idleDay({ ...DEFAULT_FLEET, clusters }, HOURS * 60);
    const sample = { none: await day(0), some: await day(3), clusters: 3 };
    const [calculated, simulated] = [dayOf(sample, 9), await day(9)];
    expect(simulated.functions.reconcile.invocations).toBeGreaterThan(9 * HOURS * 60);
    // The jitter of intervals differs from cluster to cluster.
    for (const [name, part] of apart(calculated, simulated)) expect(part, name).toBeLessThan(0.02);
  });

  it('looks over every cluster with every tick, compares every object once a day, and stores nothing', () => {
    const { clusters, some } = defaults;
    const ticks = 24 * 60;
    expect(some.functions.sweep.invocations).toBe(ticks);
    // Less than one look at the source a minute, since the tick that finds it due may be the one after.
    expect(some.git).toBeGreaterThan(clusters * ticks * 0.5);
    expect(some.git).toBeLessThan(clusters * ticks);
    // A source asks whether its artifact is there; so does each run of a Kustomization, whose objects are compared daily.
    expect(some.s3Reads - some.git).toBeGreaterThanOrEqual(clusters * (DEFAULT_FLEET.objects - 1));
    expect(some.s3Writes).toBe(0);
  });

  it.each([
    ['the defaults', DEFAULT_FLEET],
    ['long intervals', { ...DEFAULT_FLEET, sourceInterval: '15m', sweepInterval: '5m' }],
  ])('costs what the documentation says with %s', async (_name, fleet) => {
    const text = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'docs/deploy-aws.md'), 'utf8');
    const sample = fleet === DEFAULT_FLEET ? defaults : await sampleDay(fleet);
    const months = SIZES.map((clusters) => idleMonth(dayOf(sample, clusters), clusters, readPrices()));
    expect(text).toContain(markdownOf(months));
  });
});
