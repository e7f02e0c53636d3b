import type { Context } from '../../lib/pipeline/context.ts';
import { createTelemetry } from '../../lib/telemetry.ts';
import { openWorker } from '../open-worker.ts';
import { openBlobs } from './blobs.ts';
import { type AwsCore, holderName } from './core.ts';
import type { Opened } from './lambda.ts';
import { orNotThere } from './not-there.ts';
import { lazySeal } from './seal.ts';

/** What reconciles: a core, and the engine and credentials for the work. */
export interface AwsWorker extends Opened {
  ctx: Context;
  core: AwsCore;
}

/**
 * Opens what reconciling needs.
 * @param cluster the one cluster whose credential is used; undefined: each of the fleet file
 * @throws Error when the installation cannot be reached or has no name yet, and when the engine is not there
 */
export async function openAwsWorker(core: AwsCore, cluster?: string): Promise<AwsWorker> {
  const { environment, open } = core;
  // First, since it fails where the installation cannot be reached: nothing has been started yet that would keep the process alive.
  const installation = await orNotThere(environment, core.ctx.index.installation(notNamed));
  const { close, ...worker } = await openWorker(open, environment.directory);
  const ctx: Context = {
    ...core.ctx,
    ...worker,
    cluster(name) {
      if (cluster === undefined || cluster === name) return worker.cluster(name);
      return Promise.reject(
        new Error(`this worker is for the cluster ${cluster}; a job for ${name} went astray`),
      );
    },
    blobs: openBlobs(environment),
    seal: lazySeal(open),
    telemetry: createTelemetry(),
    holder: holderName(),
    installation,
  };
  return {
    ctx,
    core,
    isCurrent: () => core.isCurrent(),
    async close() {
      await close();
      await core.close();
    },
  };
}

/** A worker may not give the name: the functions that do are not within reach of a cluster. */
function notNamed(): never {
  throw new Error(
    'the installation has no name yet; the function sweep gives it one with its first tick: deploy the core stack, and look at the log of sweep',
  );
}
