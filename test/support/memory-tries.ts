import type { TriesTable } from '../../lib/queue/sqs-tries.ts';
import type { Row } from '../../lib/store/table.ts';

/** What is kept of messages that gave trouble, in memory. */
export interface MemoryTries extends TriesTable {
  /** How often the table was asked or told. */
  requests: number;
}

/** Makes an empty one. */
export function memoryTries(): MemoryTries {
  const rows = new Map<string, Row>();
  const tries: MemoryTries = {
    requests: 0,
    partition: 'tries#test',
    table: {
      async get<T>(_partition: string, sort: string) {
        tries.requests += 1;
        return rows.get(sort) as Row<T> | undefined;
      },
      async put(partition, sort, value, { expiresAt = 0 } = {}) {
        tries.requests += 1;
        rows.set(sort, { partition, sort, value, version: 1, expiresAt });
        return 1;
      },
    },
  };
  return tries;
}
