import { isDeepStrictEqual } from 'node:util';
import { loadFleet } from './load-fleet.ts';
import { PACKAGED } from './packaged-fleet.ts';

/**
 * Reads a fleet file for a function it is packaged with, which then has nothing to check: parsing and checking would be a third of its cold start.
 * @param text its content, YAML 1.2
 * @returns what `packagedFleet` reads; nothing of this machine stands in it
 * @throws FleetError with everything that is wrong
 */
export function packFleet(text: string): string {
  const { path: _, baseDirectory: __, ...fleet } = loadFleet(text, { path: '/slipway.yaml' });
  const packed = JSON.stringify({ ...PACKAGED, fleet });
  if (!isDeepStrictEqual(JSON.parse(packed), { ...PACKAGED, fleet }))
    throw new Error('the fleet file holds what JSON does not');
  return packed;
}
