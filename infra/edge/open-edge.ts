import { openQueues } from '../../functions/aws/queues.ts';
import { lazySeal } from '../../functions/aws/seal.ts';
import type { OpenFleet } from '../../functions/open-fleet.ts';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import { createAwsApi } from '../../lib/cloud/aws-api.ts';
import { dynamodbApi, sqsApi } from '../../lib/cloud/aws-json.ts';
import { sortableId } from '../../lib/core/sortable-id.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import type { Edge } from '../../lib/pipeline/context.ts';
import { Deliveries } from '../../lib/store/deliveries.ts';
import { dynamoTable } from '../../lib/store/dynamodb.ts';
import { Receivers } from '../../lib/store/receivers.ts';
import { edgeHttp } from './edge-http.ts';
import { edgeLog } from './edge-log.ts';
import type { EdgeEnvironment } from './environment.ts';
import { fetchExchange } from './fetch-exchange.ts';

/** A webhook is answered within 10 s; one try of a call to AWS must not use that up. */
const AWS_TIMEOUT_MS = 4_000;

/** What webhooks work with in a Worker: queues, index and bucket of the installation on AWS, by signed requests. */
export function openEdge(environment: EdgeEnvironment, open: OpenFleet): Edge {
  const { AWS_REGION: region, SLIPWAY_TABLE: tableName, SLIPWAY_BUCKET: bucket } = environment;
  const { network, limits } = open.fleet;
  const now = Date.now;
  const credentials = {
    accessKeyId: environment.AWS_ACCESS_KEY_ID,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
  };
  const endpoints: Readonly<Record<string, string | undefined>> = {
    dynamodb: environment.AWS_ENDPOINT_URL_DYNAMODB,
    s3: environment.AWS_ENDPOINT_URL_S3,
  };
  const aws = createAwsApi({
    region,
    credentials: async () => credentials,
    endpoint: (service) => endpoints[service],
    now,
    timeoutMs: AWS_TIMEOUT_MS,
    exchange: fetchExchange,
  });
  const opened = async () => aws;
  const rows = dynamoTable({ dynamodb: dynamodbApi(opened), tableName, name: 'index', now });
  return {
    queues: openQueues(sqsApi(opened), environment.SLIPWAY_QUEUES, rows),
    index: { deliveries: new Deliveries(rows, now), receivers: new Receivers(rows) },
    blobs: s3Blobs({ aws: opened, bucket }),
    http: edgeHttp({
      policy: createNetworkPolicy({ allow: network.allow }),
      timeoutMs: limits.requestTimeout,
      maxBytes: 1_048_576,
      userAgent: 'slipway',
    }),
    seal: lazySeal(open),
    log: edgeLog(),
    now,
    newId: () => sortableId(now(), crypto.getRandomValues(new Uint8Array(10))),
  };
}
