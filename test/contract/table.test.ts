import { dynamoTable } from '../../lib/store/dynamodb.ts';
import { openSqlite } from '../../lib/store/sqlite.ts';
import { startDynamoDb } from '../support/dynalite.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { tableContract } from './table.ts';

tableContract('table in SQLite', async () => {
  const directory = await temporaryDirectory();
  const { now, advance } = fakeClock();
  const sqlite = await openSqlite({ directory: directory.path, now });
  return {
    table: sqlite.table('index'),
    advance,
    now,
    async close() {
      await sqlite.close();
      await directory.remove();
    },
  };
});

tableContract('table in DynamoDB', async () => {
  const server = await startDynamoDb();
  await server.createTable('slipway');
  const { now, advance } = fakeClock();
  return {
    table: dynamoTable({ dynamodb: server.api, tableName: 'slipway', name: 'index', now }),
    advance,
    now,
    close: server.stop,
  };
});
