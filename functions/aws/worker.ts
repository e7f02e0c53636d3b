import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { S3Client } from '@aws-sdk/client-s3';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { createTelemetry } from '../../lib/telemetry.ts';
import { openWorker } from '../open-worker.ts';
import { type AwsCore, holderName } from './core.ts';
import type { Opened } from './lambda.ts';

/** What reconciles: a core, and the engine and credentials for the work. */
export interface AwsWorker extends Opened {
  ctx: Context;
  core: AwsCore;
}

/**
 * Opens what reconciling needs.
 * @param cluster the one cluster whose credential is used; undefined: each of the fleet file
 * @throws Error when the engine is not there
 */
export async function openAwsWorker(core: AwsCore, cluster?: string): Promise<AwsWorker> {
  const { environment, open } = core;
  const { close, ...worker } = await openWorker(open, environment.directory);
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = process.env;
  // Servers that stand in for S3 know no host name for each bucket.
  const s3 = new S3Client({ forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined });
  const ctx: Context = {
    ...core.ctx,
    ...worker,
    cluster(name) {
      if (cluster === undefined || cluster === name) return worker.cluster(name);
      return Promise.reject(
        new Error(`this worker is for the cluster ${cluster}; a job for ${name} went astray`),
      );
    },
    blobs: s3Blobs({ client: s3, bucket: environment.bucket }),
    telemetry: createTelemetry(),
    holder: holderName(),
    installation: await core.ctx.index.installation(() => randomBytes(8).toString('hex')),
  };
  return {
    ctx,
    core,
    isCurrent: () => core.isCurrent(),
    async close() {
      await close();
      s3.destroy();
      await core.close();
    },
  };
}
