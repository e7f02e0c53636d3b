import type { KubeClient } from '../../lib/kube/client.ts';
import { KUSTOMIZATION } from '../../lib/pipeline/kustomizations.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';

const NAMESPACE = 'flux-system';

/** Up to so many are watched one by one; of more the last is, and then all are looked at. */
const FEW = 16;

/**
 * Resolves with the time (epoch in ms) at which the last of the named Kustomizations was Ready at the commit. A watch of a thousand, or looks
 * at them again and again, would cost the API server more than what is measured.
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
  let open = names;
  try {
    while (open.length > FEW) {
      await Promise.all(open.slice(-1).map((name) => untilOneReady(client, name, commit, stop.signal)));
      const { items } = await client.list<WithStatus>(KUSTOMIZATION, { namespace: NAMESPACE });
      const ready = new Set(
        items.filter((item) => isReadyAt(item, commit)).map(({ metadata }) => metadata.name),
      );
      open = open.filter((name) => !ready.has(name));
    }
    await Promise.all(open.map((name) => untilOneReady(client, name, commit, stop.signal)));
    return Date.now();
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function untilOneReady(
  client: KubeClient,
  name: string,
  commit: string,
  signal: AbortSignal,
): Promise<void> {
  // From no version on: the first event shows the object as it is.
  const one = { namespace: NAMESPACE, fieldSelector: `metadata.name=${name}`, resourceVersion: '', signal };
  while (!signal.aborted)
    for await (const { object } of client.watch<WithStatus>(KUSTOMIZATION, one))
      if (isReadyAt(object, commit)) return;
  throw new Error(`${name} was not ready in time`);
}

function isReadyAt({ status }: WithStatus, commit: string): boolean {
  const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
  const ready = conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready && String(status?.lastAppliedRevision).endsWith(commit);
}
