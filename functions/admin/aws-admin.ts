import process from 'node:process';
import { sqsApi } from '../../lib/cloud/aws-json.ts';
import { silentLog } from '../../lib/log.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { type Admin, createAdmin } from '../../lib/pipeline/admin.ts';
import { sqsDelayed } from '../../lib/queue/sqs-delayed.ts';
import { openCore } from '../aws/core.ts';
import { QUEUES, queueUrl, readEnvironment } from '../aws/environment.ts';
import { installationOf } from '../aws/installation.ts';
import { orNotThere } from '../aws/not-there.ts';
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
    const admin = createAdmin({ ...core.ctx, cluster: (name) => clusters.cluster(name), delayed });
    return await orNotThere(environment, work(admin));
  } finally {
    await Promise.all([clusters.close(), core.close()]);
  }
}
