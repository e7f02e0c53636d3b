import process from 'node:process';
import { AwsError } from '../../lib/cloud/aws-fault.ts';
import { sqsApi } from '../../lib/cloud/aws-json.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { silentLog } from '../../lib/log.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { type Admin, createAdmin } from '../../lib/pipeline/admin.ts';
import { sqsDelayed } from '../../lib/queue/sqs-delayed.ts';
import { openCore } from '../aws/core.ts';
import { type Environment, QUEUES, queueUrl, readEnvironment } from '../aws/environment.ts';
import { installationOf } from '../aws/installation.ts';
import { lazyAwsApi } from '../open-aws-api.ts';
import { openClusters } from '../open-clusters.ts';
import type { OpenFleet } from '../open-fleet.ts';

/**
 * Does something with an installation on AWS, by the credentials of this shell: the one that the environment names, or else the one that the
 * fleet file has deployed.
 */
export async function withAwsAdmin<T>({ fleet }: OpenFleet, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { env } = process;
  const variables = env.SLIPWAY_TABLE
    ? { ...env, SLIPWAY_FLEET: env.SLIPWAY_FLEET ?? fleet.path }
    : { ...env, ...(await installationOf(fleet)) };
  const environment = readEnvironment(variables);
  const core = await openCore(environment, silentLog);
  const clusters = openClusters(core.open, createNetworkPolicy({ allow: core.open.fleet.network.allow }));
  const { queues } = environment;
  const delayed = sqsDelayed({
    sqs: sqsApi(lazyAwsApi(core.open.fleet.aws?.region)),
    deadLetterQueueUrl: queueUrl(queues, QUEUES.delayDead),
    queueUrl: (name) => queueUrl(queues, name),
  });
  try {
    return await work(createAdmin({ ...core.ctx, cluster: (name) => clusters.cluster(name), delayed }));
  } catch (error) {
    throw isMissing(error) ? notThere(environment, error) : error;
  } finally {
    await Promise.all([clusters.close(), core.close()]);
  }
}

/** Names of AWS's errors for a table and a queue that do not exist. */
const MISSING = /ResourceNotFoundException|NonExistentQueue|QueueDoesNotExist/;

function isMissing(error: unknown): boolean {
  if (error instanceof AwsError) return MISSING.test(error.code);
  return error instanceof Error && error.cause !== undefined && isMissing(error.cause);
}

function notThere({ table, queues }: Environment, error: unknown): Error {
  return new Error(
    `no installation is at table ${table} and queues ${queues}…: is it deployed ("slipway deploy"), and are these the credentials of its account? ${messageOf(error)}`,
    { cause: error },
  );
}
