import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CLUSTER_KINDS, clusterPartition } from '../../../lib/store/partitions.ts';

const lib = resolve(import.meta.dirname, '../../../lib');

test('a partition begins with its kind and its cluster', () => {
  expect(clusterPartition('due', 'prod')).toBe('due#prod');
  expect(clusterPartition('rollout-members', 'prod', 'GitRepository/a/b', 'abc')).toBe(
    'rollout-members#prod#GitRepository/a/b#abc',
  );
});

test('no kind stands in both tables, so that a partition tells its table', () => {
  const all = Object.values(CLUSTER_KINDS).flat();
  expect(new Set(all).size).toBe(all.length);
});

test('no other partition is made of pieces but those of ticks and deliveries, which no worker touches, and of the secret paths of Receivers', () => {
  const made = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(lib, file), 'utf8');
      return [...text.matchAll(/`([a-z-]+)#\$\{/g)].map(([, kind]) => `${file}: ${kind}`);
    });
  expect(new Set(made)).toEqual(
    new Set(['pipeline/tick.ts: ticks', 'store/deliveries.ts: deliveries', 'store/receivers.ts: receivers']),
  );
});
