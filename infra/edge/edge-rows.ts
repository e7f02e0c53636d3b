import { type Item, itemOf, keyOf, rowOf, versionClock } from '../../lib/store/dynamodb-item.ts';
import { checkKey, encodeValue } from '../../lib/store/limits.ts';
import type { Row, Table } from '../../lib/store/table.ts';
import type { EdgeAws } from './aws.ts';
import type { EdgeEnvironment } from './environment.ts';

/** Rows of the index by DynamoDB's HTTP API: what webhooks read and write of them. */
export function edgeRows(
  aws: EdgeAws,
  environment: EdgeEnvironment,
  now: () => number,
): Pick<Table, 'get' | 'put'> {
  const { AWS_REGION: region, SLIPWAY_TABLE: TableName } = environment;
  const url = environment.AWS_ENDPOINT_URL_DYNAMODB ?? `https://dynamodb.${region}.amazonaws.com`;
  const versions = versionClock(now);
  const call = <T>(operation: string, input: unknown) =>
    aws.call<T>('dynamodb', url, `DynamoDB_20120810.${operation}`, input);
  return {
    async get<T>(partition: string, sort: string): Promise<Row<T> | undefined> {
      checkKey({ partition, sort });
      const Key = keyOf('index', partition, sort);
      const { Item: item } = await call<{ Item?: Item }>('GetItem', { TableName, Key, ConsistentRead: true });
      return item && rowOf<T>('index', item, now());
    },
    async put(partition, sort, value, { ifVersion, expiresAt = 0 } = {}) {
      if (ifVersion !== undefined) throw new Error('the edge writes rows without conditions');
      checkKey({ partition, sort });
      const version = versions.next();
      const text = encodeValue(partition, sort, value);
      const item = itemOf('index', { partition, sort, value: text, expiresAt, version });
      await call('PutItem', { TableName, Item: item });
      return version;
    },
  };
}
