import { idleDay } from '../../test/simulation/idle/idle-day.ts';
import type { IdleFleet } from '../../test/simulation/idle/idle-fleet.ts';
import type { Sample } from './idle-month.ts';

/** How many clusters are simulated in full: a second of this machine is some hours of one. */
const CLUSTERS = 3;

/** Simulates a day of a fleet without clusters and with a few. */
export async function sampleDay(fleet: Omit<IdleFleet, 'clusters'>): Promise<Sample> {
  return {
    none: await idleDay({ ...fleet, clusters: 0 }),
    some: await idleDay({ ...fleet, clusters: CLUSTERS }),
    clusters: CLUSTERS,
  };
}
