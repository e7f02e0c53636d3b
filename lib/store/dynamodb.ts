import { AwsError } from '../cloud/aws-fault.ts';
import type { AwsJson } from '../cloud/aws-json.ts';
import { realTimers, type Timers } from '../queue/timers.ts';
import { batchWrite } from './dynamodb-batch.ts';
import { type Item, itemOf, keyOf, rowOf, versionClock } from './dynamodb-item.ts';
import type { Attributes, WriteRequest } from './dynamodb-types.ts';
import { boundsOf, checkKey, compareKeys, encodeValue } from './limits.ts';
import type { QueryOptions, Row, Table } from './table.ts';

/** What a table in DynamoDB needs. */
export interface DynamoTableOptions {
  dynamodb: AwsJson;
  /** The DynamoDB table: keys `pk` and `sk` (strings), time to live on `ttl`, billed by request. All tables share it. */
  tableName: string;
  /** The part of it that this table is; it stands before every partition key. */
  name: string;
  /** Epoch in ms. */
  now: () => number;
  /** Default: the real ones. */
  timers?: Timers;
}

/** A table in DynamoDB: consistent reads, conditional writes; rows past their time count as absent before DynamoDB removes them. */
export function dynamoTable(options: DynamoTableOptions): Table {
  const { dynamodb, tableName, name, now, timers = realTimers } = options;
  const versions = versionClock(now);
  const target = { TableName: tableName };

  async function* pages(partition: string, query: QueryOptions): AsyncIterable<Item[]> {
    const { from, to } = boundsOf(query);
    // DynamoDB refuses an empty range.
    if (to !== undefined && compareKeys(from, to) >= 0) return;
    let start: Attributes | undefined;
    do {
      const answer: { Items?: Item[]; LastEvaluatedKey?: Attributes } = await dynamodb('Query', {
        ...target,
        ConsistentRead: true,
        ScanIndexForward: !query.reverse,
        KeyConditionExpression: `pk = :pk${conditionOf(from, to)}`,
        ExpressionAttributeValues: {
          ':pk': { S: `${name}#${partition}` },
          ...(from === '' ? {} : { ':from': { S: from } }),
          ...(to === undefined ? {} : { ':to': { S: to } }),
        },
        ...(query.limit === undefined ? {} : { Limit: query.limit + 1 }),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const { Items: items = [] } = answer;
      // BETWEEN includes its upper bound.
      yield to === undefined ? items : items.filter(({ sk }) => sk.S !== to);
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
  }

  return {
    async get<T>(partition: string, sort: string) {
      checkKey({ partition, sort });
      const Key = keyOf(name, partition, sort);
      const input = { ...target, Key, ConsistentRead: true };
      const { Item: item } = await dynamodb<{ Item?: Item }>('GetItem', input);
      return item && rowOf<T>(name, item, now());
    },
    async put(partition, sort, value, { ifVersion, expiresAt = 0 } = {}) {
      checkKey({ partition, sort });
      const item = itemOf(name, {
        partition,
        sort,
        value: encodeValue(partition, sort, value),
        expiresAt,
        version: 0,
      });
      const condition = conditionFor(ifVersion, now());
      const update = {
        ...target,
        Key: keyOf(name, partition, sort),
        UpdateExpression: `SET v = :v, e = :e, n = if_not_exists(n, :fresh) + :one ${item.ttl ? ', #ttl = :ttl' : 'REMOVE #ttl'}`,
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':v': item.v,
          ':e': item.e,
          ':fresh': { N: String(versions.next()) },
          ':one': { N: '1' },
          ...(item.ttl ? { ':ttl': item.ttl } : {}),
          ...condition.values,
        },
        ...(condition.expression ? { ConditionExpression: condition.expression } : {}),
        ReturnValues: 'UPDATED_NEW',
      };
      const answer = await unlessRefused(dynamodb<{ Attributes?: Pick<Item, 'n'> }>('UpdateItem', update));
      if (!answer) return undefined;
      const version = Number(answer.Attributes?.n?.N);
      versions.saw(version);
      return version;
    },
    async delete(partition, sort, { ifVersion } = {}) {
      checkKey({ partition, sort });
      const condition = conditionFor(ifVersion, now());
      const answer = await unlessRefused(
        dynamodb('DeleteItem', {
          ...target,
          Key: keyOf(name, partition, sort),
          ...(condition.expression
            ? { ConditionExpression: condition.expression, ExpressionAttributeValues: condition.values }
            : {}),
        }),
      );
      return answer !== undefined;
    },
    async query<T>(partition: string, query: QueryOptions = {}) {
      const { limit = Number.POSITIVE_INFINITY } = query;
      const rows: Row<T>[] = [];
      if (limit === 0) return rows;
      const time = now();
      for await (const items of pages(partition, query)) {
        for (const item of items) {
          const row = rowOf<T>(name, item, time);
          if (row) rows.push(row);
          if (rows.length === limit) return rows;
        }
      }
      return rows;
    },
    async batch(writes) {
      const requests = new Map<string, WriteRequest>();
      for (const write of writes) {
        const { partition, sort } = 'put' in write ? write.put : write.delete;
        checkKey({ partition, sort });
        const version = versions.next();
        // DynamoDB refuses a key that stands in a request twice; of several writes of a row the last counts.
        const request =
          'put' in write
            ? {
                PutRequest: {
                  Item: itemOf(name, {
                    ...write.put,
                    value: encodeValue(partition, sort, write.put.value),
                    expiresAt: write.put.expiresAt ?? 0,
                    version,
                  }),
                },
              }
            : { DeleteRequest: { Key: keyOf(name, partition, sort) } };
        requests.set(JSON.stringify([partition, sort]), request);
      }
      await batchWrite(dynamodb, tableName, [...requests.values()], timers);
    },
    async close() {},
  };
}

function conditionOf(from: string, to: string | undefined): string {
  if (from !== '' && to !== undefined) return ' AND sk BETWEEN :from AND :to';
  if (from !== '') return ' AND sk >= :from';
  return to === undefined ? '' : ' AND sk < :to';
}

function conditionFor(
  ifVersion: number | undefined,
  now: number,
): { expression?: string; values: Attributes } {
  if (ifVersion === undefined) return { values: {} };
  const values = { ':zero': { N: '0' }, ':now': { N: String(now) } };
  if (ifVersion === 0) return { expression: 'attribute_not_exists(pk) OR (e > :zero AND e <= :now)', values };
  return {
    expression: 'n = :version AND (e = :zero OR e > :now)',
    values: { ...values, ':version': { N: String(ifVersion) } },
  };
}

/** Undefined when the condition of a write did not hold. */
async function unlessRefused<T>(writing: Promise<T>): Promise<T | undefined> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ConditionalCheckFailedException') return undefined;
    throw error;
  }
}
