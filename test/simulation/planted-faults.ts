import { desiredDigest, observe } from '../../lib/apply/drift.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import { commitOf } from '../../lib/core/revision.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { Index } from '../../lib/pipeline/context.ts';
import type { OutgoingMessage } from '../../lib/queue/queue.ts';
import type { StoredRecord } from '../../lib/store/applied.ts';
import type { Table } from '../../lib/store/table.ts';
import { KUSTOMIZE, sourceOf } from './expectations.ts';
import type { Event, Story } from './story.ts';
import { CLUSTER, type Plant, type Surroundings } from './worker.ts';

/** A mistake, and what brings it to light more often than chance does: it happens at some time after the first push. */
export interface Mistake {
  plant: Plant;
  shownBy?: readonly Event[];
}

/** Within how many steps after what was before. */
const SOON = 150;

/** A story in which a mistake is likely to show. */
export function tempting({ shownBy }: Mistake, { seed, moments: [first, ...others] }: Story): Story {
  if (!first || !shownBy) return { seed, moments: first ? [first, ...others] : others };
  const shown = shownBy.map((event, index) => ({ steps: Math.floor(seed / SOON ** index) % SOON, event }));
  return { seed, moments: [first, ...shown, ...others] };
}

/** Mistakes that a worse Slipway could make, each planted by a thin layer over one of the parts. The simulation must find them all. */
export const PLANTED: Readonly<Record<string, Mistake>> = {
  'no lease check': {
    plant: {
      index: (index) =>
        withLeases(index, { check: () => Promise.resolve(true), renew: () => Promise.resolve(true) }),
    },
    // The one that takes over brings back what was before, and the other one wakes up with what it was about to write.
    shownBy: [
      { kind: 'freeze', place: 'kube', ms: 110_000 },
      { kind: 'revert', back: 1, hook: 'once' },
    ],
  },
  'deduplication by commit instead of by request': {
    plant: { queue: (queue) => ({ ...queue, send: (messages) => queue.send(messages.map(byCommit)) }) },
  },
  'lost delay': {
    plant: {
      queue: (queue) => ({
        ...queue,
        send: (messages) => queue.send(messages.filter(({ delayMs = 0 }) => delayMs === 0)),
      }),
    },
  },
  'index written before apply': {
    plant: {
      table: withoutMark,
      client: recordingFirst,
    },
    shownBy: [{ kind: 'die', place: 'kube', after: false }],
  },
  'dependants recorded before the send': {
    plant: {
      queue: (queue, around) => ({
        ...queue,
        async send(messages) {
          const { revision, digest } = sourceOf(around)?.status?.artifact ?? {};
          if (digest !== undefined && messages.some(({ body }) => body.includes('"trigger":"source"')))
            around.rows.put(
              `source-sent#${CLUSTER}`,
              'GitRepository/flux-system/flux-system',
              { commit: commitOf(revision), digest, repository: 'git.example.test/owner/fleet' },
              around.scheduler.now,
            );
          await queue.send(messages);
        },
      }),
    },
    shownBy: [{ kind: 'die', place: 'queue', after: false }],
  },
};

function withLeases(index: Index, changed: object): Index {
  const { leases } = index;
  const planted = new Proxy(leases, {
    get: (target, name) => {
      const value = (changed as Record<PropertyKey, unknown>)[name] ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...index, leases: planted };
}

function byCommit(message: OutgoingMessage): OutgoingMessage {
  const { commit } = JSON.parse(message.body) as { commit?: string };
  return commit === undefined ? message : { ...message, deduplicationId: commit };
}

/** The index counts an owner as whole while objects are still to be written. */
function withoutMark(table: Table): Table {
  return {
    ...table,
    async put(partition, sort, value, options) {
      const { dirty } = value as { dirty?: unknown };
      if (partition !== `applied-head#${CLUSTER}` || dirty !== 'begun')
        return table.put(partition, sort, value, options);
      const known = await table.get<{ runs: string[] }>(partition, sort);
      return table.put(partition, sort, { dirty: false, runs: known?.value.runs ?? [] }, options);
    },
  };
}

/** The index says that an object is as it should be, and only then it is applied. */
function recordingFirst(client: KubeClient, around: Surroundings): KubeClient {
  const planted: KubeClient = {
    ...client,
    as: () => planted,
    apply(object, options) {
      if (!options.dryRun) recordAsApplied(around, object, options.fieldManager);
      return client.apply(object, options);
    },
  };
  return planted;
}

function recordAsApplied(around: Surroundings, object: KubernetesObject, manager: string): void {
  const { rows, api, scheduler } = around;
  const live = api.get(refOf(object));
  const { namespace, labels } = object.metadata;
  const [partition, sort] = [
    `applied#${CLUSTER}`,
    `Kustomization/${namespace}/${labels?.[`${KUSTOMIZE}/name`]}#000000`,
  ];
  const chunk = rows.get<{ run: string; records: Record<string, StoredRecord> }>(
    partition,
    sort,
    scheduler.now,
  );
  if (!live || !chunk) return;
  const { run, records } = chunk.value;
  const { uid: _uid, resourceVersion: _version, ...metadata } = object.metadata;
  const record: StoredRecord = {
    desired: desiredDigest({ ...object, metadata }, manager, []),
    observation: observe(live, manager),
    checkedAt: scheduler.now,
  };
  rows.put(
    partition,
    sort,
    { run, records: { ...records, [identityOf(refOf(object))]: record } },
    scheduler.now,
  );
}
