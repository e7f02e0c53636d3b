import { assessHealth, vanishingOf } from '../apply/health/assess.ts';
import type { ConditionUpdate } from '../core/conditions.ts';
import { formatDuration } from '../core/duration.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { describe, parseApiVersion, refOf } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { clusterPartition } from '../store/partitions.ts';
import { timeoutOf } from '../toolkit/intervals.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { objectKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { progressing } from './outcome.ts';
import type { Run } from './run.ts';

/** What a look at health came to: the conditions of a healthy object, or the outcome of one that is getting there. */
export type HealthResult =
  | { pending: Outcome; conditions?: undefined }
  | { pending?: undefined; conditions: ConditionUpdate[] };

/** What was applied, and from which render. */
export interface AppliedRender {
  applied: readonly ObjectRef[];
  /** The rendered objects; empty when the run only looks again. */
  desired: readonly KubernetesObject[];
  revision: string;
  renderedDigest: string;
}

/** When the waiting for health began, for which render. */
interface Waiting {
  renderedDigest: string;
  generation: number;
  since: number;
  /** Identities of what goes by itself when it is done. */
  vanishing: string[];
}

/** The first look comes soon; looks grow rarer up to a pause, which is longer where looks themselves take long. */
const FIRST_LOOK_MS = 500;
const LAST_LOOK_MS = { least: 2_000, most: 5_000, looks: 5 };

/**
 * Looks at the health of what a Kustomization asks for: all it applied (`wait`) or its `healthChecks`. It never waits itself: while
 * something is in progress the run ends and a delayed job looks again, so that a new push finds the object free.
 * @throws ReconcileError `HealthCheckFailed` when something has failed, or is still not ready after `timeout`
 */
export async function checkHealth(
  run: Run,
  object: Kustomization,
  client: KubeClient,
  { applied, desired, revision, renderedDigest }: AppliedRender,
): Promise<HealthResult> {
  const refs = object.spec.wait ? applied : await healthCheckRefs(client, object);
  const { ctx, job } = run;
  const partition = clusterPartition('health', job.cluster);
  const key = objectKey(run.ref);
  if (refs.length === 0) return { conditions: [] };
  const generation = object.metadata.generation ?? 0;
  const row = await ctx.index.rows.get<Waiting>(partition, key);
  const same = row?.value.renderedDigest === renderedDigest && row.value.generation === generation;
  const vanishing = same ? row.value.vanishing : vanishingOf(desired, desired.map(refOf));
  const expressions = object.spec.healthCheckExprs ?? [];
  const results = await assessHealth(client, refs, expressions, new Set(vanishing), ctx.now());
  const failed = results.filter(({ status }) => status === 'Failed');
  const open = results.filter(({ status }) => status !== 'Current' && status !== 'Failed');
  const since = same ? row.value.since : ctx.now();
  const waited = ctx.now() - since;
  if (failed.length === 0 && open.length === 0) {
    if (row) await ctx.index.rows.delete(partition, key);
    const message = `Health check passed in ${formatDuration(waited)}`;
    return { conditions: [{ type: 'Healthy', status: 'True', reason: 'Succeeded', message }] };
  }
  const timeout = timeoutOf(object);
  if (failed.length > 0 || waited >= timeout) {
    if (row) await ctx.index.rows.delete(partition, key);
    const list = [...failed, ...open].map(
      ({ ref, status, message }) => `${describe(ref)} status: '${status}'${message ? `: ${message}` : ''}`,
    );
    const why =
      failed.length > 0
        ? `failed after ${formatDuration(waited)}`
        : `timed out after ${formatDuration(timeout)}`;
    throw new ReconcileError('HealthCheckFailed', `health check ${why}: [${list.join(', ')}]`);
  }
  if (!same)
    await ctx.index.rows.put(partition, key, {
      renderedDigest,
      generation,
      since,
      vanishing,
    } satisfies Waiting);
  const message = `Running health checks for revision ${revision} with a timeout of ${formatDuration(timeout)}; waiting for ${open
    .map(({ ref }) => describe(ref))
    .slice(0, 5)
    .join(', ')}`;
  const pause = Math.min(
    longestPause(ctx.now() - run.startedAt),
    Math.max(FIRST_LOOK_MS, waited / 4),
    Math.max(timeout - waited, 1),
  );
  const unhealthy: ConditionUpdate = { type: 'Healthy', status: 'Unknown', reason: 'Progressing', message };
  return { pending: progressing('Progressing', message, pause, [unhealthy]) };
}

/**
 * How long to wait at most between two looks: what became healthy is to be seen within three seconds, but a thousand Kustomizations that wait
 * must not look all the time.
 * @param tookMs how long this look took
 */
function longestPause(tookMs: number): number {
  const { least, most, looks } = LAST_LOOK_MS;
  return Math.min(most, Math.max(least, looks * tookMs));
}

async function healthCheckRefs(client: KubeClient, object: Kustomization): Promise<ObjectRef[]> {
  return Promise.all(
    (object.spec.healthChecks ?? []).map(async ({ apiVersion, kind, name, namespace }) => {
      const given = apiVersion === undefined ? await client.preferred('', kind) : parseApiVersion(apiVersion);
      const { group, version } = given ?? { group: '', version: 'v1' };
      return { group, version, kind, name, namespace: namespace ?? object.metadata.namespace ?? '' };
    }),
  );
}
