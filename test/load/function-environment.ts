/** One environment of the function `reconcile` as a process of its own, with what invokes it: what is told to end, killed or frozen is both. */
import process from 'node:process';
import { QUEUES, queueUrl, readEnvironment } from '../../functions/aws/environment.ts';
import { keepOpen } from '../../functions/aws/lambda.ts';
import { queueHandler } from '../../functions/aws/queue-event.ts';
import { lazyAwsApi } from '../../functions/open-aws-api.ts';
import { openReconcile } from '../../functions/reconcile.ts';
import { sqsApi } from '../../lib/cloud/aws-json.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { createLog } from '../../lib/log.ts';
import { serveQueue } from '../aws-local/queue-trigger.ts';

/** What is handed out to an environment that is killed in the same moment must come back within the load. */
const VISIBILITY_MS = 60_000;

const { queues, cluster = '' } = readEnvironment(process.env);
const log = createLog({
  level: 'info',
  format: 'json',
  write: (line) => process.stderr.write(line),
  now: Date.now,
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const open = keepOpen((environment) => openReconcile(environment, log));
await open();
log.info({ cluster }, 'the function takes jobs');
await serveQueue(
  {
    sqs: sqsApi(lazyAwsApi()),
    queueUrl: queueUrl(queues, QUEUES.cluster(cluster)),
    batchSize: 10,
    environments: [queueHandler(open)],
    visibilityMs: VISIBILITY_MS,
    failed: (error) => log.error({ error: messageOf(error) }, 'an invocation failed'),
  },
  stop.signal,
);
await (await open()).close();
process.exit(0);
