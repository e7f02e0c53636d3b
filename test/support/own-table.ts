import { CLUSTER_KINDS, SHARED_PARTITIONS } from '../../lib/store/partitions.ts';
import type { Table } from '../../lib/store/table.ts';

/**
 * A table that refuses what the role of a cluster's worker on AWS may not touch: every partition but those of its own cluster, those
 * that all share, and the name of the installation.
 */
export function ownTable(table: Table, name: keyof typeof CLUSTER_KINDS, cluster: string): Table {
  const kinds: readonly string[] = CLUSTER_KINDS[name];
  const shared: readonly string[] = name === 'index' ? SHARED_PARTITIONS : [];
  const check = (partition: string): void => {
    if (shared.includes(partition)) return;
    const [kind = '', owner] = partition.split('#');
    if (partition === 'installation' || kind === 'receivers' || (kinds.includes(kind) && owner === cluster))
      return;
    throw new Error(`a worker of ${cluster} may not touch the partition ${name}#${partition}`);
  };
  return {
    async get<T>(partition: string, sort: string) {
      check(partition);
      return table.get<T>(partition, sort);
    },
    async query<T>(partition: string, options?: Parameters<Table['query']>[1]) {
      check(partition);
      return table.query<T>(partition, options);
    },
    async put(partition, sort, value, options) {
      check(partition);
      return table.put(partition, sort, value, options);
    },
    async delete(partition, sort, options) {
      check(partition);
      return table.delete(partition, sort, options);
    },
    async batch(writes) {
      for (const write of writes) check('put' in write ? write.put.partition : write.delete.partition);
      return table.batch(writes);
    },
    close: () => table.close(),
  };
}
