import { applyStaged } from '../apply/apply.ts';
import { prune } from '../apply/prune.ts';
import { checkPruneGuard } from '../apply/prune-guard.ts';
import type { Artifact } from '../core/artifact.ts';
import { digestOf } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import type { Inventory } from '../core/inventory.ts';
import { difference, entryOf, parseEntry, union } from '../core/inventory.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, identityOf, refOf } from '../core/object.ts';
import { closureDigest } from '../core/tree.ts';
import type { Rendered } from '../render/render.ts';
import { render } from '../render/render.ts';
import { ALLOW_PRUNE } from '../toolkit/annotations.ts';
import { isFluxController } from '../toolkit/bootstrap.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { advancedStatus } from './advance.ts';
import { applyOptions } from './apply-options.ts';
import { approvalOf } from './approval.ts';
import { decryptionKeys } from './decryption-keys.ts';
import { isUnaffected } from './dependants.ts';
import { checkDependencies } from './dependencies.ts';
import { checkHealth } from './health.ts';
import { withSnapshot } from './history.ts';
import type { LoadedSource } from './load-source.ts';
import { loadSource } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { succeeded } from './outcome.ts';
import { pruneOptions } from './prune-options.ts';
import { hasUnhandledRequest, isReady } from './ready.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import type { WithStatus } from './status.ts';
import { writeStatus } from './status.ts';
import { targetClient } from './target.ts';
import { sendAppliedToolkitObjects } from './toolkit-objects.ts';
import { variablesOf } from './variables.ts';

/** Triggers that say no more than that a revision may be new; when nothing is, they end without work. */
const ONLY_IF_NEW: ReadonlySet<string> = new Set(['push', 'source', 'dependency', 'retry', 'watch']);

/** Renders a Kustomization and brings the cluster to what it says: source, dependencies, render, apply, prune, health. */
export async function reconcileKustomization(run: Run, object: Kustomization): Promise<Reconciled> {
  const source = await step(run, 'source', () => loadSource(run, object));
  const { artifact } = source;
  await step(run, 'dependencies', () => checkDependencies(run, object, source));
  run.attempted = (status) => ({ ...status, lastAttemptedRevision: artifact.revision });
  const unchanged = await withoutRender(run, object, source);
  if (unchanged) return unchanged;
  const target = await targetClient(run, object);
  if (run.job.trigger === 'health') {
    const later = await resumeHealth(run, object, artifact, target);
    if (later) return later;
  }
  const variables = await step(run, 'variables', () => variablesOf(run, object));
  const decryption = await decryptionKeys(run, object);
  const rendered = await step(run, 'render', () =>
    render(run.ctx.engine, {
      kustomization: object,
      artifactDigest: artifact.digest,
      readTree: source.archive,
      variables,
      ...(decryption ? { decryption } : {}),
      tenant: `${run.job.cluster}/${object.metadata.namespace}`,
      signal: run.signal,
    }),
  );
  return applyRendered(run, object, source, target, {
    ...rendered,
    objects: withoutFlux(run, rendered.objects),
  });
}

async function applyRendered(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
  target: Awaited<ReturnType<typeof targetClient>>,
  rendered: Rendered,
): Promise<Reconciled> {
  const { ctx, job } = run;
  const key = objectKey(run.ref);
  const revision = source.artifact.revision;
  const previous: Inventory = { entries: object.status?.inventory?.entries ?? [] };
  const next: Inventory = union({ entries: [] }, { entries: rendered.objects.map((item) => entryOf(item)) });
  const allowance = object.metadata.annotations?.[ALLOW_PRUNE] ?? (await approvalOf(ctx, job.cluster, key));
  if (object.spec.prune) {
    checkPruneGuard({ previous, next, renderedDigest: rendered.digest, allowance, owner: key });
  }
  // What is about to be created stands in the inventory before it is: a crash in between orphans nothing.
  const begun = await step(run, 'begin', () => begin(run, object, union(previous, next), revision));
  const known = await ctx.index.applied.load(job.cluster, key);
  await ctx.index.applied.markDirty(job.cluster, key);
  const applied = await step(run, 'apply', () =>
    applyStaged(target.client, rendered.objects, applyOptions(run, object, known, previous)),
  );
  run.changes.push(...applied.changeSet.entries);
  const gone = object.spec.prune ? difference(previous, next) : [];
  const pruned = await step(run, 'prune', () =>
    prune(target.client, gone, pruneOptions(run, object, allowance === rendered.digest)),
  );
  run.changes.push(...pruned.changeSet.entries);
  await ctx.index.applied.save(job.cluster, key, applied.records);
  const inventory = union(next, { entries: pruned.survivors });
  run.attempted = (status) => ({ ...status, lastAttemptedRevision: revision, inventory });
  if (pruned.error) throw pruned.error;
  await ctx.index.inputs.put(job.cluster, key, {
    generation: object.metadata.generation ?? 0,
    revision,
    closure: rendered.closure,
    closureDigest: closureDigest(rendered.closure, await source.index()),
    inputDigest: digestOf([object.spec, source.artifact.digest]),
    renderedDigest: rendered.digest,
  });
  const health = await step(run, 'health', () =>
    checkHealth(run, object, target.client, {
      applied: rendered.objects.map(refOf),
      desired: rendered.objects,
      revision,
      renderedDigest: rendered.digest,
    }),
  );
  const status = (present: Record<string, unknown>) => ({
    ...present,
    lastAttemptedRevision: revision,
    inventory,
  });
  const afterwards = () => sendAppliedToolkitObjects(run, object, rendered.objects);
  if (health.pending) return { object: begun, outcome: health.pending, status, afterwards };
  return {
    object: begun,
    outcome: succeeded('ReconciliationSucceeded', `Applied revision: ${revision}`, health.conditions),
    status: (present) =>
      withSnapshot(appliedStatus(status(present), source.artifact), run, rendered.digest, revision),
    afterwards,
  };
}

/** Writes the inventory that the run may come to, and that it has begun; nothing when both stand there already. */
async function begin(
  run: Run,
  object: WithStatus & Kustomization,
  inventory: Inventory,
  revision: string,
): Promise<WithStatus> {
  const sameInventory = digestOf(inventory.entries) === digestOf(object.status?.inventory?.entries ?? []);
  if (sameInventory && object.status?.lastAttemptedRevision === revision) return object;
  return writeStatus<WithStatus>(run.client, object, (status) => ({
    ...status,
    lastAttemptedRevision: revision,
    inventory,
  }));
}

function appliedStatus(status: Record<string, unknown>, artifact: Artifact): Record<string, unknown> {
  const origin = artifact.metadata?.['org.opencontainers.image.revision'];
  return {
    ...status,
    lastAppliedRevision: artifact.revision,
    ...(origin === undefined ? {} : { lastAppliedOriginRevision: origin }),
  };
}

/** The end of a run that finds nothing to do: the revision is applied already, or does not touch this object. */
async function withoutRender(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
): Promise<Reconciled | undefined> {
  if (!ONLY_IF_NEW.has(run.job.trigger) || !isReady(object) || hasUnhandledRequest(object)) return undefined;
  const { revision } = source.artifact;
  const outcome = succeeded('ReconciliationSucceeded', `Applied revision: ${revision}`);
  if (await run.ctx.index.applied.isDirty(run.job.cluster, objectKey(run.ref))) return undefined;
  if (object.status?.lastAppliedRevision === revision) return { object, outcome };
  const record = await run.ctx.index.inputs.get(run.job.cluster, objectKey(run.ref));
  if (!isUnaffected(object, record, await source.index())) return undefined;
  return { object, outcome, status: (status) => advancedStatus(status, revision) };
}

/** Looks at health again without applying, as long as nothing but time has passed. */
async function resumeHealth(
  run: Run,
  object: Kustomization,
  artifact: Artifact,
  target: Awaited<ReturnType<typeof targetClient>>,
): Promise<Reconciled | undefined> {
  const record = await run.ctx.index.inputs.get(run.job.cluster, objectKey(run.ref));
  if (!record || record.revision !== artifact.revision || record.generation !== object.metadata.generation)
    return undefined;
  if (object.status?.lastAttemptedRevision !== artifact.revision || hasUnhandledRequest(object))
    return undefined;
  const applied = (object.status?.inventory?.entries ?? []).flatMap((entry) => parseEntry(entry) ?? []);
  const { revision } = artifact;
  const health = await step(run, 'health', () =>
    checkHealth(run, object, target.client, {
      applied,
      desired: [],
      revision,
      renderedDigest: record.renderedDigest,
    }),
  );
  if (health.pending) return { object, outcome: health.pending };
  return {
    object,
    outcome: succeeded('ReconciliationSucceeded', `Applied revision: ${revision}`, health.conditions),
    status: (present) => withSnapshot(appliedStatus(present, artifact), run, record.renderedDigest, revision),
  };
}

/** A repository made by `flux bootstrap` holds Flux itself; applying its controllers would put a second writer to work. */
function withoutFlux(run: Run, objects: KubernetesObject[]): KubernetesObject[] {
  const kept = objects.filter((item) => !isFluxController(item));
  for (const item of objects.filter((other) => isFluxController(other))) {
    run.changes.push({
      ref: refOf(item),
      action: 'skipped',
      detail: 'a part of Flux, whose work Slipway does',
    });
  }
  const seen = new Set<string>();
  for (const item of kept) {
    const id = identityOf(refOf(item));
    if (seen.has(id)) {
      throw new ReconcileError('BuildFailed', `the build holds ${describe(refOf(item))} twice`, {
        outcome: 'retry',
      });
    }
    seen.add(id);
  }
  return kept;
}
