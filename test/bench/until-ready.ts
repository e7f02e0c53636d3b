import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';

const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/** How long one object is left alone between two looks, in ms, and as a part of the time that has gone by: what a figure can be off by. */
const LOOK_MS = 25;
const LOOK_PART = 0.01;

/**
 * Resolves with the time (epoch in ms) at which the last of the named Kustomizations was Ready at the commit. It looks at one that is not
 * yet, and at all only when that one is: a watch of a thousand would cost the API server more than what is measured.
 * @throws Error naming one that was not ready in time
 */
export async function untilReady(
  client: KubeClient,
  names: readonly string[],
  commit: string,
  timeoutMs: number,
): Promise<number> {
  const began = Date.now();
  const deadline = began + timeoutMs;
  for (;;) {
    const { items } = await client.list<WithStatus>(KUSTOMIZATION);
    const ready = new Set(
      items.filter((item) => isReadyAt(item, commit)).map(({ metadata }) => metadata.name),
    );
    const open = names.filter((name) => !ready.has(name));
    const last = open.at(-1);
    if (last === undefined) return Date.now();
    const ref = { ...KUSTOMIZATION, namespace: 'flux-system', name: last };
    for (;;) {
      const item = await client.get<WithStatus>(ref);
      if (item && isReadyAt(item, commit)) break;
      if (Date.now() > deadline)
        throw new Error(`${open.length} of ${names.length} were not ready in time, such as ${last}`);
      await delay(Math.max(LOOK_MS, (Date.now() - began) * LOOK_PART));
    }
  }
}

function isReadyAt({ status }: WithStatus, commit: string): boolean {
  const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
  const ready = conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready && String(status?.lastAppliedRevision).endsWith(commit);
}
