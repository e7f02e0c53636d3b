import { type Artifact, artifactOf } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { TreeIndex } from '../core/tree.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Context } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import { readSource } from './read-source.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';
import { indexKey, treeIndexOf } from './tree-index.ts';
import { waitFor } from './waiting.ts';

/** The source of a Kustomization with the artifact it has now. */
export interface LoadedSource {
  ref: ToolkitRef;
  object: WithStatus;
  artifact: Artifact;
  /** The files of the artifact and their digests. */
  index(): Promise<TreeIndex>;
  /** The archive, checked against its digest. */
  archive(): Promise<Uint8Array>;
}

/** The API group of sources. */
export const SOURCE_GROUP = 'source.toolkit.fluxcd.io';

/**
 * Where the artifacts of a source stand in the blob store. The key names cluster and object, so that no object of another
 * cluster or tenant can be made to read them by writing a path into a status.
 */
export function artifactPrefix(
  cluster: string,
  ref: Pick<ToolkitRef, 'kind' | 'namespace' | 'name'>,
): string {
  return `artifacts/${cluster}/${ref.kind}/${ref.namespace}/${ref.name}/`;
}

/** What `spec.sourceRef` names. */
export function sourceRefOf(object: Kustomization): ToolkitRef {
  const { kind, name, namespace } = object.spec.sourceRef;
  return { group: SOURCE_GROUP, kind, namespace: namespace ?? object.metadata.namespace ?? '', name };
}

/**
 * The source of a Kustomization and its artifact.
 * @throws ReconcileError `AccessDenied` (stall) for a source of another namespace where that is locked down; `ArtifactFailed`
 *   (wait) while the source or its artifact is not there; the Kustomization is released as soon as it is
 */
export async function loadSource(run: Run, object: Kustomization): Promise<LoadedSource> {
  const ref = sourceRefOf(object);
  const { config } = run.cluster;
  if (config.noCrossNamespaceRefs && ref.namespace !== (object.metadata.namespace ?? '')) {
    throw new ReconcileError(
      'AccessDenied',
      `can't use ${describe(ref)}: cluster ${config.name} allows no references to other namespaces`,
      { outcome: 'stall' },
    );
  }
  let source = await readSource(run, ref);
  if (!artifactOf(source)) {
    // Noted first and looked at again: one that gets its artifact in between still releases us.
    await waitFor(run.ctx, run.job.cluster, run.ref, ref);
    source = await run.client.get<WithStatus>({ ...ref, version: 'v1' });
  }
  const artifact = artifactOf(source);
  if (!source || !artifact) {
    const problem = source ? 'has no artifact yet' : 'does not exist';
    throw new ReconcileError('ArtifactFailed', `source ${describe(ref)} ${problem}`, { outcome: 'wait' });
  }
  const { ctx, job } = run;
  if (
    !artifact.path.startsWith(artifactPrefix(job.cluster, ref)) ||
    !(await ctx.blobs.has(indexKey(artifact.path)))
  ) {
    // Fetched by somebody else (Flux, before an adoption) or lost from our store: fetch it again, then come back.
    await waitFor(ctx, job.cluster, run.ref, ref);
    await enqueue(ctx, [{ job: reconcileJob(ctx, job.cluster, ref, 'request') }]);
    throw new ReconcileError(
      'ArtifactFailed',
      `the artifact of ${describe(ref)} is not in the store; it is fetched again`,
      {
        outcome: 'wait',
      },
    );
  }
  return {
    ref,
    object: source,
    artifact,
    index: () => treeIndexOf(ctx.blobs, artifact),
    archive: () => readArchive(ctx, artifact, objectKey(ref)),
  };
}

/** The artifact that a source has at this moment, whatever runs have read before; undefined when it has none, or is not there. */
export async function presentArtifact(run: Run, ref: ToolkitRef): Promise<Artifact | undefined> {
  return artifactOf(await run.client.get<WithStatus>({ ...ref, version: 'v1' }));
}

async function readArchive(ctx: Context, artifact: Artifact, name: string): Promise<Uint8Array> {
  const bytes = await ctx.blobs.get(artifact.path);
  if (!bytes) {
    // An index without its archive is of no use; without it the artifact counts as lost and is fetched again.
    await ctx.blobs.delete(indexKey(artifact.path));
    throw new ReconcileError('ArtifactFailed', `the artifact of ${name} is gone from the store`, {
      outcome: 'retry',
    });
  }
  if (sha256(bytes) !== artifact.digest) {
    throw new ReconcileError(
      'ArtifactFailed',
      `the artifact of ${name} does not have the digest ${artifact.digest} it was stored with; nothing was applied`,
      { outcome: 'retry' },
    );
  }
  return bytes;
}
