import type { InventoryEntry } from '../core/inventory.ts';
import { parseEntry } from '../core/inventory.ts';
import { identityOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { ToolkitRef } from './object-key.ts';
import { keyOf, objectKey } from './object-key.ts';
import type { WithStatus } from './status.ts';

/** The kind that renders and applies. */
export const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/** Whether a reference names a Kustomization of the Toolkit. */
export function isKustomization(ref: { group: string; kind: string } | undefined): boolean {
  return ref?.group === KUSTOMIZATION.group && ref.kind === KUSTOMIZATION.kind;
}

/** The reference of a Kustomization by its key. */
export function kustomizationRef(key: string): ToolkitRef {
  const [, namespace = '', name = ''] = key.split('/');
  return { group: KUSTOMIZATION.group, kind: KUSTOMIZATION.kind, namespace, name };
}

/** All Kustomizations of a cluster, as they stand there. */
export async function listKustomizations(client: KubeClient): Promise<(Kustomization & WithStatus)[]> {
  return (await client.list<Kustomization & WithStatus>(KUSTOMIZATION)).items;
}

/** The keys of those that one waits for by `dependsOn`. */
export function dependenciesOf({ metadata, spec }: Pick<Kustomization, 'metadata' | 'spec'>): string[] {
  const own = metadata.namespace ?? '';
  return (spec.dependsOn ?? []).map(({ namespace = own, name }) =>
    objectKey({ kind: KUSTOMIZATION.kind, namespace, name }),
  );
}

/** The keys of those that wait for a Kustomization by `dependsOn`, themselves or through others, and its own. */
export function waitingFor(own: string, items: readonly Kustomization[]): Set<string> {
  const waiting = new Set([own]);
  for (let size = 0; size < waiting.size; ) {
    size = waiting.size;
    for (const item of items)
      if (dependenciesOf(item).some((key) => waiting.has(key))) waiting.add(keyOf(item));
  }
  return waiting;
}

/** The identities of the objects that a Kustomization holds in its own cluster; none of one that applies to another: those are other objects. */
export function identitiesIn({ spec, status }: Kustomization): Set<string> {
  if (spec.kubeConfig !== undefined) return new Set();
  return new Set(
    (status?.inventory?.entries ?? []).flatMap((entry) => parseEntry(entry) ?? []).map(identityOf),
  );
}

/** The keys of the Kustomizations that an inventory holds. */
export function kustomizationsIn(entries: readonly InventoryEntry[]): string[] {
  return entries.flatMap((entry) => {
    const ref = parseEntry(entry);
    return ref && isKustomization(ref) ? [objectKey(ref)] : [];
  });
}
