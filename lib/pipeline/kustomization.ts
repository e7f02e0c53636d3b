import type { Condition } from '../core/conditions.ts';
import { ReconcileError } from '../core/errors.ts';
import { parseEntry } from '../core/inventory.ts';
import { redact } from '../core/redact.ts';
import { type Rendered, render } from '../render/render.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { advancedStatus } from './advance.ts';
import { appliedOutcome, appliedStatus, presentNotice } from './applied-status.ts';
import { applyRendered } from './apply-rendered.ts';
import { decryptionKeys } from './decryption-keys.ts';
import { isUnaffected } from './dependants.ts';
import { checkDependencies } from './dependencies.ts';
import { checkHealth } from './health.ts';
import type { LoadedSource } from './load-source.ts';
import { loadSource } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { hasUnhandledRequest, isReady } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { Target } from './target.ts';
import { targetClient } from './target.ts';
import { variablesOf } from './variables.ts';

/** Triggers that say no more than that a revision may be new; when nothing is, they end without work. */
const ONLY_IF_NEW: ReadonlySet<string> = new Set(['push', 'source', 'dependency', 'retry', 'watch']);

/** Renders a Kustomization and brings the cluster to what it says: source, dependencies, render, apply, prune, health. */
export async function reconcileKustomization(run: Run, object: Kustomization): Promise<Reconciled> {
  const source = await step(run, 'source', () => loadSource(run, object));
  const { artifact } = source;
  run.revision = artifact.revision;
  const attempted = () => {
    run.attempted = (status) => ({ ...status, lastAttemptedRevision: artifact.revision });
  };
  await step(run, 'dependencies', () => checkDependencies(run, object, source)).catch((error: unknown) => {
    // What will not go on by itself has failed at this revision, and its commit must show it.
    if (error instanceof ReconcileError && error.outcome === 'stall') attempted();
    throw error;
  });
  attempted();
  const unchanged = await withoutRender(run, object, source);
  if (unchanged) return unchanged;
  const target = await targetClient(run, object);
  if (run.job.trigger === 'health') {
    const later = await resumeHealth(run, object, source, target);
    if (later) return later;
  }
  const rendered = await renderObject(run, object, source);
  return applyRendered(run, object, source, target.client, rendered);
}

/** Renders with the variables and keys of the object; what is secret among its inputs is known to the run from then on. */
async function renderObject(run: Run, object: Kustomization, source: LoadedSource): Promise<Rendered> {
  const variables = await step(run, 'variables', () => variablesOf(run, object));
  const decryption = await decryptionKeys(run, object);
  const rendered = await step(run, 'render', () =>
    render(run.ctx.engine, {
      kustomization: object,
      artifactDigest: source.artifact.digest,
      readTree: source.archive,
      variables,
      ...(decryption ? { decryption } : {}),
      tenant: `${run.job.cluster}/${object.metadata.namespace}`,
      signal: run.signal,
    }),
  );
  run.secrets.push(...rendered.secrets);
  const warnings = rendered.warnings.map((warning) => redact(warning, run.secrets));
  for (const warning of warnings) run.log.warn(warning);
  run.warnings.push(...warnings);
  return rendered;
}

/** The end of a run that finds nothing to do: the revision is applied already, or does not touch this object. */
async function withoutRender(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
): Promise<Reconciled | undefined> {
  if (!ONLY_IF_NEW.has(run.job.trigger) || !isReady(object) || hasUnhandledRequest(object)) return undefined;
  const { revision } = source.artifact;
  const notice = presentNotice(object.status?.conditions as Condition[] | undefined);
  const outcome = appliedOutcome(revision, notice);
  // Whoever was cut off may have done more than the status tells.
  if (run.lease.ranOut) return undefined;
  // A run that was cut short may have written objects of another revision.
  if (object.status?.lastAttemptedRevision !== object.status?.lastAppliedRevision) return undefined;
  if (await run.ctx.index.applied.isDirty(run.job.cluster, objectKey(run.ref))) return undefined;
  if (object.status?.lastAppliedRevision === revision) return { object, outcome };
  const record = await run.ctx.index.inputs.get(run.job.cluster, objectKey(run.ref));
  if (!isUnaffected(object, record, await source.index())) return undefined;
  return { object, outcome, status: (status) => advancedStatus(status, revision) };
}

function usesSecrets({ spec }: Kustomization): boolean {
  const from = spec.postBuild?.substituteFrom ?? [];
  return spec.decryption !== undefined || from.some(({ kind }) => kind === 'Secret');
}

/** Looks at health again without applying, as long as nothing but time has passed. */
async function resumeHealth(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
  target: Target,
): Promise<Reconciled | undefined> {
  const { artifact } = source;
  const record = await run.ctx.index.inputs.get(run.job.cluster, objectKey(run.ref));
  if (!record || record.revision !== artifact.revision || record.generation !== object.metadata.generation)
    return undefined;
  if (object.status?.lastAttemptedRevision !== artifact.revision || hasUnhandledRequest(object))
    return undefined;
  const applied = (object.status?.inventory?.entries ?? []).flatMap((entry) => parseEntry(entry) ?? []);
  const { revision } = artifact;
  const { renderedDigest } = record;
  const look = () =>
    checkHealth(run, object, target.client, { applied, desired: [], revision, renderedDigest });
  const health = await step(run, 'health', look).catch(async (error: unknown) => {
    // What is unhealthy may quote what it was given, and only a render tells what of that is secret.
    if (usesSecrets(object)) await renderObject(run, object, source).catch(() => undefined);
    throw error;
  });
  if (health.pending) return { object, outcome: health.pending };
  return {
    object,
    outcome: appliedOutcome(revision, record.notice ?? '', health.conditions),
    status: (present) => appliedStatus(present, run, artifact, renderedDigest),
  };
}
