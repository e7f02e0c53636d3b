import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AwsJson } from '../../../lib/cloud/aws-json.ts';
import { dynamoTable } from '../../../lib/store/dynamodb.ts';
import { type Dynalite, startDynamoDb } from '../../support/dynalite.ts';

const now = () => Date.UTC(2026, 0, 1);

type Write = { PutRequest: { Item: { sk: { S: string } } } };

/** A client that leaves most writes of the first requests undone. */
function busyClient(busyRequests: number): {
  dynamodb: AwsJson;
  written: Write[];
  requests: number[];
} {
  const written: Write[] = [];
  const requests: number[] = [];
  const dynamodb = async (_: string, { RequestItems }: { RequestItems: { index: Write[] } }) => {
    const { index: items } = RequestItems;
    requests.push(items.length);
    const done = requests.length > busyRequests ? items.length : 1;
    written.push(...items.slice(0, done));
    return items.length === done ? {} : { UnprocessedItems: { index: items.slice(done) } };
  };
  return { dynamodb: dynamodb as AwsJson, written, requests };
}

function puts(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    put: { partition: 'p', sort: `s${index}`, value: index },
  }));
}

describe('writes that DynamoDB leaves undone', () => {
  test('are sent again after ever longer waits, until all are done', async () => {
    const { dynamodb, written, requests } = busyClient(3);
    const waits: number[] = [];
    const timers = {
      set(callback: () => void, ms: number) {
        waits.push(ms);
        queueMicrotask(callback);
      },
      clear() {},
    };
    const table = dynamoTable({ dynamodb, tableName: 'index', name: 'x', now, timers });
    await table.batch(puts(25));
    expect(requests).toEqual([25, 24, 23, 22]);
    expect(waits).toEqual([100, 200, 400]);
    expect(new Set(written.map((write) => write.PutRequest.Item.sk.S)).size).toBe(25);
  });

  test('make the batch fail in the end, saying how many', async () => {
    const { dynamodb } = busyClient(1_000);
    const timers = { set: (callback: () => void) => queueMicrotask(callback), clear() {} };
    const table = dynamoTable({ dynamodb, tableName: 'index', name: 'x', now, timers });
    await expect(table.batch(puts(12))).rejects.toThrow('DynamoDB left 4 of 12 writes to table index undone');
  });
});

describe('an item', () => {
  let server: Dynalite;
  beforeAll(async () => {
    server = await startDynamoDb();
    await server.createTable('slipway');
  });
  afterAll(() => server.stop());

  async function ttlOf(sort: string): Promise<string | undefined> {
    const Key = { pk: { S: 'index#p' }, sk: { S: sort } };
    const { Item: item } = await server.client.send(new GetItemCommand({ TableName: 'slipway', Key }));
    expect(item).toBeDefined();
    return item?.ttl?.N;
  }

  test('says in seconds when DynamoDB may remove it, and loses that when it shall stay', async () => {
    const table = dynamoTable({ dynamodb: server.api, tableName: 'slipway', name: 'index', now });
    const expiresAt = now() + 1_500;
    await table.put('p', 'put', 1, { expiresAt });
    await table.batch([{ put: { partition: 'p', sort: 'batch', value: 1, expiresAt } }]);
    expect(await ttlOf('put')).toBe(String(now() / 1_000 + 2));
    expect(await ttlOf('batch')).toBe(String(now() / 1_000 + 2));
    await table.put('p', 'put', 2);
    expect(await ttlOf('put')).toBeUndefined();
  });

  test('of one table is not seen by another one in the same DynamoDB table', async () => {
    const one = dynamoTable({ dynamodb: server.api, tableName: 'slipway', name: 'one', now });
    const two = dynamoTable({ dynamodb: server.api, tableName: 'slipway', name: 'two', now });
    await one.put('q', 's', 1);
    expect(await two.get('q', 's')).toBeUndefined();
    expect(await two.query('q')).toEqual([]);
    expect(await one.query('q')).toMatchObject([{ partition: 'q', sort: 's' }]);
  });
});
