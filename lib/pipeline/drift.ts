import type { Observable } from '../apply/drift.ts';
import { driftedOf, isDue } from '../apply/drift.ts';
import type { AppliedRecord } from '../apply/types.ts';
import { digestOf } from '../core/digest.ts';
import { parseEntry } from '../core/inventory.ts';
import type { GroupVersionKind } from '../core/object.ts';
import { gvkOf, identityOf } from '../core/object.ts';
import { FIELD_MANAGER } from '../toolkit/annotations.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { ClusterConnection, Context } from './context.ts';
import { objectKey } from './object-key.ts';

/** Why a Kustomization must run although its source is unchanged. */
export interface Drift {
  why: 'drifted' | 'recheck' | 'dirty' | 'unknown';
  /** Differs when something else has drifted, or has again. */
  seen: string;
}

/** So many objects are compared at a stretch: some 10 ms, in which no webhook is answered. */
const STRETCH = 500;

/**
 * Compares what the index remembers of applied objects with what a cluster has, by one metadata list a kind.
 * @param kustomizations those whose objects stand in this cluster (not in one of `spec.kubeConfig`)
 * @returns the key of each Kustomization that must run, and why
 */
export async function findDrift(
  ctx: Context,
  cluster: ClusterConnection,
  kustomizations: readonly Kustomization[],
): Promise<Map<string, Drift>> {
  const owners = await ctx.index.applied.loadCluster(cluster.config.name);
  const causes = new Map<string, Drift>();
  const kinds = new Map<string, GroupVersionKind>();
  const watched: { key: string; records: ReadonlyMap<string, AppliedRecord> }[] = [];
  for (const item of kustomizations) {
    const key = objectKey({
      kind: 'Kustomization',
      namespace: item.metadata.namespace ?? '',
      name: item.metadata.name,
    });
    const entries = item.status?.inventory?.entries ?? [];
    const owner = owners.get(key);
    if (!owner) {
      if (entries.length > 0) causes.set(key, { why: 'unknown', seen: '' });
      continue;
    }
    if (owner.dirty) causes.set(key, { why: 'dirty', seen: '' });
    for (const entry of entries) {
      const ref = parseEntry(entry);
      if (ref && owner.records.has(identityOf(ref)))
        kinds.set(`${ref.group}/${ref.version}/${ref.kind}`, ref);
    }
    watched.push({ key, records: owner.records });
  }
  const live = await listAll(cluster, [...kinds.values()]);
  let compared = 0;
  for (const { key, records } of watched) {
    if (causes.has(key)) continue;
    compared += records.size;
    if (compared >= STRETCH) {
      compared = 0;
      await ctx.sleep(0, ctx.signal);
    }
    const observed = [...records.keys()].flatMap((identity) => live.get(identity) ?? []);
    const drifted = driftedOf(records, observed, FIELD_MANAGER);
    if (drifted.length > 0) {
      const seen = digestOf(
        drifted.map((identity) => [identity, live.get(identity)?.metadata.resourceVersion ?? 'gone']),
      );
      causes.set(key, { why: 'drifted', seen });
    } else if ([...records.values()].some((record) => isDue(record, ctx.now()))) {
      causes.set(key, { why: 'recheck', seen: '' });
    }
  }
  return causes;
}

async function listAll(
  cluster: ClusterConnection,
  kinds: readonly GroupVersionKind[],
): Promise<Map<string, Observable>> {
  const lists = await Promise.all(kinds.map((gvk) => cluster.client.listMetadata(gvk)));
  return new Map(
    lists.flatMap(({ items }) =>
      items.map((item): [string, Observable] => {
        const { namespace = '', name } = item.metadata;
        return [identityOf({ ...gvkOf(item), namespace, name }), item];
      }),
    ),
  );
}
