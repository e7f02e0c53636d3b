import { resolve } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../lib/core/errors.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { isPackagedFleet, packagedFleet } from '../../lib/fleet/packaged-fleet.ts';
import { resolveSecret } from '../../lib/secrets/resolve-secret.ts';
import type { SecretContext } from '../../lib/secrets/scheme.ts';
import { lazyAwsApi } from '../open-aws-api.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { readFleetFile } from '../read-fleet-file.ts';

/** How long a secret is used after it was read, in ms: a flood of requests must not become one to the store of secrets. */
const SECRET_TTL_MS = 60_000;

/** How often it is looked whether the fleet file is another one, in ms. */
const FLEET_TTL_MS = 60_000;

/** A fleet file that may be replaced while a function is kept warm. */
export interface RemoteFleet extends OpenFleet {
  /** Whether it is still the one that was opened; looked up once a minute. One that cannot be read counts as unchanged. */
  isCurrent(): Promise<boolean>;
}

/**
 * Opens the fleet file behind a reference.
 * @param reference `s3://BUCKET/KEY`, `ssm:/NAME` or a path, behind which may be one that was packaged
 * @throws FleetError with every problem at its line; the error of reading it, naming it
 */
export async function openFleetAt(reference: string): Promise<RemoteFleet> {
  const context = { baseDirectory: process.cwd(), env: process.env, aws: lazyAwsApi() };
  const read = readerOf(reference, context);
  if (!read) {
    // Packaged with the function, and replaced with it.
    const path = resolve(reference);
    const text = await readFleetFile(path);
    const fleet = isPackagedFleet(text) ? packagedFleet(text, path) : await load(text, path);
    const aws = lazyAwsApi(fleet.aws?.region);
    const secret = secretsOf({ ...context, baseDirectory: fleet.baseDirectory, aws });
    return { fleet, secret, isCurrent: async () => true };
  }
  const text = await read();
  const fleet = await load(text, reference);
  let lookedAt = Date.now();
  return {
    fleet,
    secret: secretsOf(context),
    async isCurrent() {
      if (Date.now() - lookedAt < FLEET_TTL_MS) return true;
      lookedAt = Date.now();
      return (await read().catch(() => text)) === text;
    },
  };
}

/** One that was not packaged is checked here. What that takes is loaded for it alone: it is a third of a cold start. */
async function load(text: string, path: string): Promise<Fleet> {
  const { loadFleet } = await import('../../lib/fleet/load-fleet.ts');
  return loadFleet(text, { path });
}

function secretsOf(context: SecretContext): OpenFleet['secret'] {
  return cachedSecrets((reference) => resolveSecret(reference, context), Date.now);
}

/** What reads the text of a fleet file that lies in S3 or Systems Manager; undefined for a path. */
function readerOf(reference: string, context: SecretContext): (() => Promise<string>) | undefined {
  if (reference.startsWith('ssm:')) return () => resolveSecret(reference, context);
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(reference) ?? [];
  if (bucket === undefined || key === undefined) return undefined;
  const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return async () => {
    const aws = await context.aws();
    return aws.call({ service: 's3', path }).catch((error: unknown) => {
      throw new Error(`the fleet file ${reference} cannot be read: ${messageOf(error)}`, { cause: error });
    });
  };
}

/** What was read is good for a minute, what could not be read for none. */
export function cachedSecrets(secret: OpenFleet['secret'], now: () => number): OpenFleet['secret'] {
  const known = new Map<string, { at: number; value: Promise<string> }>();
  return (reference) => {
    const hit = known.get(reference);
    if (hit && now() - hit.at < SECRET_TTL_MS) return hit.value;
    const value = secret(reference);
    known.set(reference, { at: now(), value });
    value.catch(() => known.delete(reference));
    return value;
  };
}
