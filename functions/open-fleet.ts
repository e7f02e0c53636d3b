import { resolve } from 'node:path';
import type { Fleet } from '../lib/fleet/fleet.ts';
import { loadFleet } from '../lib/fleet/load-fleet.ts';
import { resolveSecret } from '../lib/secrets/resolve-secret.ts';
import { lazyAwsApi } from './open-aws-api.ts';
import { readFleetFile } from './read-fleet-file.ts';

/** The fleet file, and a reader of the secrets that it refers to. */
export interface OpenFleet {
  fleet: Fleet;
  /** The secret behind a reference of the fleet file (`file:`, `env:`, `aws-sm:`, `ssm:`); read anew each time, so that a rotated one holds at once. */
  secret(reference: string): Promise<string>;
}

/**
 * Reads the fleet file.
 * @throws FleetError with every problem at its line; the error of reading the file, naming it
 */
export async function openFleet(path: string): Promise<OpenFleet> {
  const absolute = resolve(path);
  const text = await readFleetFile(absolute);
  const fleet = loadFleet(text, { path: absolute });
  const context = {
    baseDirectory: fleet.baseDirectory,
    env: process.env,
    aws: lazyAwsApi(fleet.aws?.region),
  };
  return {
    fleet,
    secret: (reference) => resolveSecret(reference, context),
  };
}
