import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';

const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };

/**
 * Resolves with the time (epoch in ms) at which the last of the named Kustomizations was Ready at the commit.
 * @throws Error naming one that was not ready in time
 */
export async function untilReady(
  client: KubeClient,
  names: readonly string[],
  commit: string,
  timeoutMs: number,
): Promise<number> {
  const open = new Set(names);
  const timeout = AbortSignal.timeout(timeoutMs);
  const done = new AbortController();
  const signal = AbortSignal.any([timeout, done.signal]);
  const note = (item: WithStatus) => {
    if (isReadyAt(item, commit)) open.delete(item.metadata.name);
  };
  while (open.size > 0) {
    const { items, resourceVersion } = await client.list<WithStatus>(KUSTOMIZATION);
    items.forEach(note);
    if (open.size === 0) break;
    try {
      for await (const { object } of client.watch<WithStatus>(KUSTOMIZATION, { resourceVersion, signal })) {
        note(object);
        if (open.size === 0) break;
      }
    } catch (error) {
      if (timeout.aborted)
        throw new Error(`${open.size} of ${names.length} were not ready in time, such as ${[...open][0]}`);
      if (!(error instanceof KubeError)) throw error;
    }
  }
  done.abort();
  return Date.now();
}

function isReadyAt({ status }: WithStatus, commit: string): boolean {
  const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
  const ready = conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready && String(status?.lastAppliedRevision).endsWith(commit);
}
