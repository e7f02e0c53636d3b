import { commitOf } from '../../lib/core/revision.ts';
import type { Index } from '../../lib/pipeline/context.ts';
import type { OutgoingMessage } from '../../lib/queue/queue.ts';
import { sourceOf } from './expectations.ts';
import { CLUSTER, type Plant } from './worker.ts';

/** Mistakes that a worse Slipway could make, each planted by a thin layer over one of the parts. The simulation must find them all. */
export const PLANTED: Readonly<Record<string, Plant>> = {
  'no lease check': {
    index: (index) =>
      withLeases(index, { check: () => Promise.resolve(true), renew: () => Promise.resolve(true) }),
  },
  'deduplication by commit instead of by request': {
    queue: (queue) => ({ ...queue, send: (messages) => queue.send(messages.map(byCommit)) }),
  },
  'lost delay': {
    queue: (queue) => ({
      ...queue,
      send: (messages) => queue.send(messages.filter(({ delayMs = 0 }) => delayMs === 0)),
    }),
  },
  'dependants recorded before the send': {
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
