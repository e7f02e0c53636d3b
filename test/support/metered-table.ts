import type { Row, Table } from '../../lib/store/table.ts';

/** What was asked of a table, in DynamoDB's units: 4 KB read with consistency, 1 KB written. */
export interface Meter {
  reads: number;
  writes: number;
}

/** A table that counts what DynamoDB would charge for. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
export function meteredTable(table: Table, meter: Meter): Table {
  const read = (rows: readonly (Row | undefined)[]) => {
    const bytes = rows.reduce((sum, row) => sum + (row ? sizeOf(row.partition, row.sort, row.value) : 0), 0);
    meter.reads += Math.max(1, Math.ceil(bytes / 4_096));
  };
  const write = (partition: string, sort: string, value: unknown) => {
    meter.writes += Math.max(1, Math.ceil(sizeOf(partition, sort, value) / 1_024));
  };
  return {
    async get<T>(partition: string, sort: string) {
      const row = await table.get<T>(partition, sort);
      read([row]);
      return row;
    },
    async query<T>(partition: string, options?: Parameters<Table['query']>[1]) {
      const rows = await table.query<T>(partition, options);
      read(rows);
      return rows;
    },
    async put(partition, sort, value, options) {
      write(partition, sort, value);
      return table.put(partition, sort, value, options);
    },
    async delete(partition, sort, options) {
      write(partition, sort, '');
      return table.delete(partition, sort, options);
    },
    async batch(writes) {
      for (const each of writes) {
        const { partition, sort } = 'put' in each ? each.put : each.delete;
        write(partition, sort, 'put' in each ? each.put.value : '');
      }
      return table.batch(writes);
    },
    close: () => table.close(),
  };
}

function sizeOf(partition: string, sort: string, value: unknown): number {
  return Buffer.byteLength(partition + sort + JSON.stringify(value)) + 50;
}
