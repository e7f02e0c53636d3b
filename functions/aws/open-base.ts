import { randomBytes } from 'node:crypto';
import { dynamodbApi, sqsApi } from '../../lib/cloud/aws-json.ts';
import { sortableId } from '../../lib/core/sortable-id.ts';
import type { Queues } from '../../lib/pipeline/context.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { dynamoTable } from '../../lib/store/dynamodb.ts';
import type { Table } from '../../lib/store/table.ts';
import { lazyAwsApi } from '../open-aws-api.ts';
import type { Environment } from './environment.ts';
import { openFleetAt, type RemoteFleet } from './fleet.ts';
import { openQueues } from './queues.ts';

/** What every function with a fleet file opens of its installation, and how it names what it makes. */
export interface Base {
  open: RemoteFleet;
  queues: Queues & { notify: Queue };
  table(name: string): Table;
  newId(): string;
}

/** Opens fleet file, queues and tables. @throws the error of reading the fleet file */
export async function openBase(environment: Environment): Promise<Base> {
  const open = await openFleetAt(environment.fleet);
  const aws = lazyAwsApi(open.fleet.aws?.region);
  const dynamodb = dynamodbApi(aws);
  const table = (name: string) =>
    dynamoTable({ dynamodb, tableName: environment.table, name, now: Date.now });
  return {
    open,
    queues: openQueues(sqsApi(aws), environment.queues, table('index')),
    table,
    newId: () => sortableId(Date.now(), randomBytes(10)),
  };
}
