import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { createAwsApi } from '../../lib/cloud/aws-api.ts';
import { type AwsJson, dynamodbApi } from '../../lib/cloud/aws-json.ts';

/** A server that speaks DynamoDB, in memory. */
export interface Dynalite {
  endpoint: string;
  /** AWS's own client, which is independent of Slipway's. */
  client: DynamoDBClient;
  /** Slipway's client, pointed at the server. */
  api: AwsJson;
  /** Creates the table that all of Slipway's tables share. */
  createTable(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the server on a free port. */
export async function startDynamoDb(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const region = 'us-east-1';
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ region, credentials, endpoint });
  const aws = createAwsApi({
    region,
    credentials: async () => credentials,
    endpoint: () => endpoint,
    now: Date.now,
  });
  return {
    endpoint,
    client,
    api: dynamodbApi(async () => aws),
    async createTable(name) {
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        }),
      );
      for (;;) {
        const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
        if (table?.TableStatus === 'ACTIVE') return;
      }
    },
    async stop() {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
