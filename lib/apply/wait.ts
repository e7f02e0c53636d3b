import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, gvkOf, refOf } from '../core/object.ts';
import { valueAt } from './pointer.ts';
import { each, pause, type Run, stopIfSuperseded } from './run.ts';

interface StatusCondition {
  type?: string;
  status?: string;
  message?: string;
}

/** Ready, or why not yet; `failed` will not get ready by itself. */
type Readiness = { state: 'ready' | 'waiting' | 'failed'; message: string };

const READY: Readiness = { state: 'ready', message: '' };

/**
 * Whether a definition or class can be built on: CRDs Established, Namespaces Active, everything else by its standard conditions.
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function readinessOf(object: KubernetesObject): Readiness {
  const conditions = (valueAt(object, ['status', 'conditions']) ?? []) as StatusCondition[];
  const find = (type: string) => conditions.find((condition) => condition.type === type);
  if (object.metadata.deletionTimestamp) return { state: 'waiting', message: 'it is being deleted' };
  const { group, kind } = gvkOf(object);
  if (group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition') {
    const names = find('NamesAccepted');
    if (names?.status === 'False')
      return { state: 'failed', message: names.message ?? 'its names are taken' };
    if (find('Established')?.status === 'True') return READY;
    return { state: 'waiting', message: 'it is not established yet' };
  }
  if (group === '' && kind === 'Namespace') {
    return valueAt(object, ['status', 'phase']) === 'Terminating'
      ? { state: 'waiting', message: 'it is being deleted' }
      : READY;
  }
  return generic(object, find);
}

function generic(object: KubernetesObject, find: (type: string) => StatusCondition | undefined): Readiness {
  const observed = valueAt(object, ['status', 'observedGeneration']);
  if (typeof observed === 'number' && observed < (object.metadata.generation ?? 0)) {
    return { state: 'waiting', message: 'its controller has not seen it yet' };
  }
  const stalled = find('Stalled');
  if (stalled?.status === 'True') return { state: 'failed', message: stalled.message ?? 'it is stalled' };
  const reconciling = find('Reconciling');
  if (reconciling?.status === 'True') {
    return { state: 'waiting', message: reconciling.message ?? 'it is reconciling' };
  }
  const ready = find('Ready');
  if (!ready || ready.status === 'True') return READY;
  return { state: 'waiting', message: ready.message ?? 'it is not ready' };
}

/**
 * Waits until every object can be built on.
 * @param objects as the server had them last
 * @throws ReconcileError naming those that are not ready in time, or never will be
 */
export async function waitUntilReady(run: Run, objects: readonly KubernetesObject[]): Promise<void> {
  const deadline = run.options.now() + run.options.waitTimeout;
  let pending = [...objects];
  for (let delay = 20; ; delay = Math.min(delay * 2, 1_000)) {
    const open = pending
      .map((object) => ({ object, readiness: readinessOf(object) }))
      .filter(({ readiness }) => readiness.state !== 'ready');
    if (open.length === 0) return;
    const failed = open.filter(({ readiness }) => readiness.state === 'failed');
    if (failed.length > 0 || run.options.now() >= deadline) {
      const lines = (failed.length > 0 ? failed : open).map(
        ({ object, readiness }) => `${describe(refOf(object))} is not ready: ${readiness.message}`,
      );
      throw new ReconcileError('ReconciliationFailed', lines.join('\n'));
    }
    await stopIfSuperseded(run);
    await pause(run.options, delay);
    pending = await readAgain(
      run,
      open.map(({ object }) => object),
    );
  }
}

async function readAgain(run: Run, objects: readonly KubernetesObject[]): Promise<KubernetesObject[]> {
  const settled = await each(run.options, objects, async (object) => {
    const live = await run.client.get<KubernetesObject>(refOf(object));
    if (live) return live;
    throw new ReconcileError(
      'ReconciliationFailed',
      `${describe(refOf(object))} was deleted while it was waited for; it is created again in the next run`,
      { outcome: 'wait', retryAfter: 1_000 },
    );
  });
  return settled.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  });
}
