import type { KubeClient } from '../../lib/kube/client.ts';
import { KUSTOMIZATION } from '../../lib/pipeline/kustomizations.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';

/**
 * Resolves with the time (epoch in ms) at which the last of the named Kustomizations was Ready at the commit. It watches one that is not
 * yet, and looks at all only when that one is: a watch of a thousand, or looks at one again and again, would cost the API server more than
 * what is measured.
 * @throws Error naming one that was not ready in time
 */
export async function untilReady(
  client: KubeClient,
  names: readonly string[],
  commit: string,
  timeoutMs: number,
): Promise<number> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    for (;;) {
      const { items, resourceVersion } = await client.list<WithStatus>(KUSTOMIZATION, only(names));
      const ready = new Set(
        items.filter((item) => isReadyAt(item, commit)).map(({ metadata }) => metadata.name),
      );
      const open = names.filter((name) => !ready.has(name));
      const last = open.at(-1);
      if (last === undefined) return Date.now();
      if (stop.signal.aborted)
        throw new Error(`${open.length} of ${names.length} were not ready in time, such as ${last}`);
      for await (const { object } of client.watch<WithStatus>(KUSTOMIZATION, {
        ...only([last]),
        resourceVersion,
        signal: stop.signal,
      }))
        if (isReadyAt(object, commit)) break;
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** Of a single object nothing else needs to be listed: a thousand others take longer than what is measured. */
function only([name, ...others]: readonly string[]) {
  const namespace = 'flux-system';
  return others.length > 0 ? { namespace } : { namespace, fieldSelector: `metadata.name=${name}` };
}

function isReadyAt({ status }: WithStatus, commit: string): boolean {
  const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
  const ready = conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready && String(status?.lastAppliedRevision).endsWith(commit);
}
