import { type Artifact, artifactOf } from '../core/artifact.ts';
import { rfc3339 } from '../core/conditions.ts';
import { digestOf, sha256 } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { SourceInputs } from '../source/source.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { sendDependants } from './dependants.ts';
import { artifactPrefix } from './load-source.ts';
import { objectKey } from './object-key.ts';
import { succeeded } from './outcome.ts';
import { fleetCredentials } from './providers.ts';
import { readSecret } from './read-secret.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';
import { notingUnverified } from './source-verified.ts';
import type { WithStatus } from './status.ts';
import { indexKey } from './tree-index.ts';

/** Resolves what the ref points at, fetches it when it is new, stores the artifact and sends on what depends on it. */
export async function reconcileGitRepository(run: Run, object: GitRepository): Promise<Reconciled> {
  const { ctx, job } = run;
  const source = ctx.sources.GitRepository;
  if (!source)
    throw new ReconcileError(
      'GitOperationFailed',
      'this worker was built without the source kind GitRepository',
      { outcome: 'stall' },
    );
  const current = await currentArtifact(run, object);
  const inputs = await sourceInputs(run, object, current);
  const included = inputs.included.map(({ artifact }) => artifact);
  const resolved = await step(run, 'resolve', () => source.resolve(object as KubernetesObject, inputs));
  const sameIncluded = digestOf(included) === digestOf(object.status?.includedArtifacts ?? []);
  if (current && resolved === current.revision && sameIncluded) {
    const outcome = succeeded('Succeeded', `stored artifact for revision '${current.revision}'`);
    // A run that was asked for looks at its dependants again, and so does one that follows a crash before all of them were sent to.
    const asked = job.trigger !== 'due' && job.trigger !== 'sweep';
    const sent = await ctx.index.rollouts.sent(job.cluster, objectKey(run.ref));
    // Another commit may have the very same tree.
    const isSent = sent?.digest === current.digest && sent.commit === commitOf(current.revision);
    return asked || !isSent
      ? { object, outcome, afterwards: (written) => sendDependants(run, written, current, { isAgain: true }) }
      : { object, outcome };
  }
  const fetched = await step(run, 'fetch', () =>
    notingUnverified(run, object as KubernetesObject, () =>
      source.fetch(object as KubernetesObject, resolved, inputs),
    ),
  );
  const artifact = await step(run, 'store', () => store(run, fetched));
  if (fetched.commit && job.origin === undefined) {
    job.origin = {
      id: run.id,
      commit: fetched.commit.hash,
      author: fetched.commit.author,
      committer: fetched.commit.committer,
    };
  }
  const message = `stored artifact for revision '${artifact.revision}'`;
  const outcome = succeeded('Succeeded', message, [
    { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message },
    ...(fetched.verified === undefined
      ? []
      : [
          { type: 'SourceVerified', status: 'True' as const, reason: 'Succeeded', message: fetched.verified },
        ]),
  ]);
  const { ignore, recurseSubmodules, include, sparseCheckout } = object.spec;
  return {
    object,
    outcome:
      fetched.verified === undefined
        ? { ...outcome, remove: [...outcome.remove, 'SourceVerified'] }
        : outcome,
    status: (status) =>
      defined({
        ...status,
        artifact,
        includedArtifacts: included.length > 0 ? included : undefined,
        observedIgnore: ignore,
        observedRecurseSubmodules: recurseSubmodules,
        observedInclude: include,
        observedSparseCheckout: sparseCheckout,
        sourceVerificationMode: fetched.verified === undefined ? undefined : object.spec.verify?.mode,
      }),
    afterwards: (written) =>
      sendDependants(run, written, artifact, { index: fetched.index, isFirst: !object.status?.artifact }),
  };
}

/** The artifact that may be kept: of this generation, and still in the store. */
async function currentArtifact(run: Run, object: GitRepository): Promise<Artifact | undefined> {
  const artifact = artifactOf(object);
  if (!artifact || object.status?.observedGeneration !== object.metadata.generation) return undefined;
  if (!artifact.path.startsWith(artifactPrefix(run.job.cluster, run.ref))) return undefined;
  return (await run.ctx.blobs.has(indexKey(artifact.path))) ? artifact : undefined;
}

async function sourceInputs(
  run: Run,
  object: GitRepository,
  current: Artifact | undefined,
): Promise<SourceInputs> {
  const namespace = object.metadata.namespace ?? '';
  const included = await Promise.all(
    (object.spec.include ?? []).map(async ({ repository }) => {
      const ref = { ...run.ref, name: repository.name };
      const found = await run.client.get<WithStatus>({ ...ref, version: 'v1' });
      const artifact = artifactOf(found);
      if (!artifact) {
        throw new ReconcileError(
          'IncludeUnavailable',
          `${describe(ref)}, which spec.include names, has no artifact yet`,
          { outcome: 'wait' },
        );
      }
      const archive = async () => {
        const bytes = artifact.path.startsWith(artifactPrefix(run.job.cluster, ref))
          ? await run.ctx.blobs.get(artifact.path)
          : undefined;
        if (!bytes)
          throw new ReconcileError(
            'IncludeUnavailable',
            `the artifact of ${describe(ref)} is not in the store`,
            { outcome: 'wait' },
          );
        return bytes;
      };
      return { repository: repository.name, artifact, archive };
    }),
  );
  return {
    secret: (name) =>
      readSecret(run.client, namespace, name, `${describe(run.ref)} spec.secretRef`, 'AuthenticationFailed'),
    fleetCredentials: fleetCredentials(run, object),
    ...(await expectedCommit(run)),
    included,
    current,
    signal: run.signal,
  };
}

/** The commit that a push brought, for as long as no later push has taken over. */
async function expectedCommit(run: Run): Promise<Pick<SourceInputs, 'commit' | 'pushedAt'>> {
  const { commit, pushedAt, cluster } = run.job;
  if (commit === undefined) return { commit };
  const rollout = await run.ctx.index.rollouts.get(cluster, objectKey(run.ref), commit);
  // One that was undone (A → B → A) is never shown again: what the ref points at now is the truth.
  if (rollout && rollout.supersededBy !== '') return { commit: undefined };
  return { commit, ...(pushedAt === undefined ? {} : { pushedAt }) };
}

async function store(
  run: Run,
  fetched: { revision: string; archive: Uint8Array; index: Record<string, string> },
): Promise<Artifact> {
  const { ctx } = run;
  const digest = sha256(fetched.archive);
  const path = `${artifactPrefix(run.job.cluster, run.ref)}${digest.replace(':', '-')}.tar`;
  // The index goes last: its presence says that the artifact is whole.
  await ctx.blobs.put(path, fetched.archive);
  await ctx.blobs.put(indexKey(path), Buffer.from(JSON.stringify(fetched.index)));
  return {
    path,
    url: `slipway://${path}`,
    revision: fetched.revision,
    digest,
    lastUpdateTime: rfc3339(ctx.now()),
    size: fetched.archive.byteLength,
  };
}

function defined(status: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}
