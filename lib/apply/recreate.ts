import { digestOf } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import { KubeError } from '../kube/errors.ts';
import { serverSays } from './failures.ts';
import { beforeWrite, type Candidate, pause, type Run, stopIfSuperseded } from './run.ts';

/** Deleting one of these deletes what it defines or holds; `spec.force` of a whole set is no wish for that. */
const CARRIES_OTHERS = new Set([
  'apiextensions.k8s.io/CustomResourceDefinition',
  '/Namespace',
  'apiregistration.k8s.io/APIService',
]);

/** What only the object itself may hold: a copy is refused for it without being wrong. */
const TAKEN = /already allocated|already exists|already in use|is already taken/i;

/**
 * Makes sure that an object which is to be deleted and created again would be accepted: a copy under another name is sent as a
 * dry-run. A manifest that is simply wrong must not cost the object that runs.
 * @param explicit the object's own annotation asks for it
 * @throws ReconcileError when it must not be deleted
 */
export async function isRecreatable(
  run: Run,
  { object, ref }: Candidate,
  explicit: boolean,
  refusal: KubeError,
): Promise<void> {
  const name = describe(ref);
  if (CARRIES_OTHERS.has(`${ref.group}/${ref.kind}`)) {
    if (explicit) return;
    throw new ReconcileError(
      'ReconciliationFailed',
      `${name}: ${serverSays(refusal)}. It is not deleted by spec.force, because everything in it would go too; ` +
        `annotate it with ${run.options.owner.group}/force: Enabled if that is meant.`,
    );
  }
  const copy = { ...object, metadata: { ...object.metadata, name: copyName(ref.name) } };
  try {
    const { fieldManager, signal } = run.options;
    await run.client.apply(copy, { fieldManager, force: true, dryRun: true, signal });
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (TAKEN.test(serverSays(error))) return;
    throw new ReconcileError(
      'ReconciliationFailed',
      `${name} dry-run failed (${refusal.reason}): ${serverSays(refusal)}. It was not deleted to be created again, ` +
        `because a new one would be refused too: ${serverSays(error)}`,
    );
  }
}

function copyName(name: string): string {
  const suffix = digestOf(name).slice(-5);
  return `${name.slice(0, 57).replace(/[^a-z0-9]+$/i, '')}-${suffix}`;
}

/**
 * Deletes an object and waits until it is gone.
 * @throws KubeError 409 when it was changed since it was seen; ReconcileError when it does not vanish in time
 */
export async function removeForRecreation(
  run: Run,
  { ref }: Candidate,
  live: KubernetesObject,
): Promise<void> {
  const { uid, resourceVersion } = live.metadata;
  await beforeWrite(run);
  await run.client.delete(ref, {
    propagation: 'Background',
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  });
  const deadline = run.options.now() + run.options.waitTimeout;
  for (let wait = 20; ; wait = Math.min(wait * 2, 1_000)) {
    const metadata = (await run.client.getMetadata(ref))?.metadata;
    if (metadata?.uid !== uid) return;
    if (run.options.now() >= deadline) {
      const finalizers = metadata?.finalizers?.join(', ') || 'none';
      throw new ReconcileError(
        'ReconciliationFailed',
        `${describe(ref)} was deleted to be created again and does not vanish; its finalizers: ${finalizers}`,
      );
    }
    await stopIfSuperseded(run);
    await pause(run.options, wait);
  }
}
