import type { Index } from '../lib/pipeline/context.ts';
import { Applied } from '../lib/store/applied.ts';
import { Deliveries } from '../lib/store/deliveries.ts';
import { DueTimes } from '../lib/store/due-times.ts';
import { Guests } from '../lib/store/guests.ts';
import { ImageTags } from '../lib/store/image-tags.ts';
import { Inputs } from '../lib/store/inputs.ts';
import { type LeaseOptions, Leases } from '../lib/store/leases.ts';
import { Outbox } from '../lib/store/outbox.ts';
import { Receivers } from '../lib/store/receivers.ts';
import { Rollouts } from '../lib/store/rollouts.ts';
import { Runs } from '../lib/store/runs.ts';
import { Subscriptions } from '../lib/store/subscriptions.ts';
import type { Table } from '../lib/store/table.ts';

/** The index with the name that this installation gave itself. */
export interface OpenIndex extends Index {
  /** The installation's name; made once and kept with the index. What `make` throws where there is none yet, this throws. */
  installation(make: () => string): Promise<string>;
}

/** What differs between one process and many. */
export interface IndexOptions {
  leases?: LeaseOptions;
  /** Called after each new wish for a commit status, with the name of its provider. */
  wished?: (destination: string) => Promise<void>;
}

/**
 * Lays the index and the audit over two tables.
 * @param clusters the names of those in the fleet file
 */
export function openIndex(
  table: (name: string) => Table,
  now: () => number,
  clusters: readonly string[],
  options: IndexOptions = {},
): OpenIndex {
  const rows = table('index');
  return {
    deliveries: new Deliveries(rows, now),
    subscriptions: new Subscriptions(rows, clusters),
    receivers: new Receivers(rows),
    dueTimes: new DueTimes(rows),
    leases: new Leases(rows, now, options.leases),
    applied: new Applied(rows),
    inputs: new Inputs(rows),
    imageTags: new ImageTags(rows),
    rollouts: new Rollouts(rows, now),
    guests: new Guests(rows, now),
    outbox: new Outbox(rows, now, clusters, options.wished),
    runs: new Runs(table('runs'), clusters),
    rows,
    async installation(make) {
      // Looked up first: most have no right to write it.
      const name = async () => (await rows.get<string>('installation', 'name'))?.value;
      const known = await name();
      if (known !== undefined) return known;
      await rows.put('installation', 'name', make(), { ifVersion: 0 });
      return (await name()) ?? make();
    },
  };
}
