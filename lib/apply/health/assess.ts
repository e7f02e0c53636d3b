import pLimit from 'p-limit';
import type { KubernetesObject, ObjectRef } from '../../core/object.ts';
import { identityOf } from '../../core/object.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { HealthCheckExpressions } from './expressions.ts';
import { compileHealthChecks } from './expressions.ts';
import type { Health } from './health.ts';
import { vanishesWhenDone } from './job.ts';
import { healthWithPods, podsTellMore } from './pods-of.ts';
import { healthOf } from './registry.ts';
import { newestPods } from './workload-pods.ts';

/** An object and how far it is. */
export interface Assessed extends Health {
  ref: ObjectRef;
}

/** How many objects are read at once. */
const CONCURRENCY = 16;

/**
 * Reads objects and tells how far each is: by the expressions for its kind, else by the rules of kstatus.
 * @param refs the objects to look at
 * @param expressions `spec.healthCheckExprs`
 * @param vanishing identities of objects that go by themselves when they are done, so that their absence is no fault
 * @param now epoch in ms
 * @throws ReconcileError `InvalidCELExpression` (stall)
 */
export async function assessHealth(
  client: KubeClient,
  refs: readonly ObjectRef[],
  expressions: readonly HealthCheckExpressions[],
  vanishing: ReadonlySet<string>,
  now: number,
): Promise<Assessed[]> {
  const expressed = compileHealthChecks(expressions);
  const limit = pLimit(CONCURRENCY);
  return Promise.all(
    refs.map((ref) =>
      limit(async () => {
        const live = await client.get(ref);
        if (live) return { ref, ...(expressed(live) ?? (await builtInHealth(client, live, now))) };
        return vanishing.has(identityOf(ref))
          ? { ref, status: 'Current' as const, message: 'done and deleted' }
          : { ref, status: 'NotFound' as const, message: 'it does not exist' };
      }),
    ),
  );
}

/** The rules of kstatus, and for a workload in progress what its newest pods tell. */
async function builtInHealth(client: KubeClient, live: KubernetesObject, now: number): Promise<Health> {
  const health = healthOf(live, now);
  if (!podsTellMore(live, health)) return health;
  return healthWithPods(health, await newestPods(client, live, now), now);
}

/** The identities among applied objects that vanish by themselves when they are done: Jobs with `ttlSecondsAfterFinished`. */
export function vanishingOf(objects: readonly KubernetesObject[], refs: readonly ObjectRef[]): string[] {
  return refs.filter((_, index) => objects[index] && vanishesWhenDone(objects[index])).map(identityOf);
}
