import { artifactOf } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import { messageOf } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import { commitOf } from '../core/revision.ts';
import type { SourceInputs } from '../source/source.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { ClusterConnection, Context } from './context.ts';
import { decryptionKeys } from './decryption-keys.ts';
import { sourceRefOf } from './load-source.ts';
import { objectKey } from './object-key.ts';
import type { LiveKustomization, PlanContext } from './plan.ts';
import { fleetCredentials } from './providers.ts';
import { readSecret } from './read-secret.ts';
import type { WithStatus } from './status.ts';
import { type World, walk } from './walk.ts';

/** What fetching and rendering takes. */
export interface AppliedContext extends PlanContext, Pick<Context, 'sources' | 'fleet' | 'providers'> {}

/** What a cluster's Kustomizations have applied, rendered again, and what could not be. */
export interface AppliedWorld {
  world: World;
  /** With the Kustomization concerned. */
  problems: string[];
}

interface Tree {
  digest: string;
  archive: Uint8Array;
}

/**
 * Renders every Kustomization of a cluster at the revision that it applied last, each fetched anew from its repository.
 * @param live every Kustomization of the cluster, by key
 */
export async function renderApplied(
  ctx: AppliedContext,
  cluster: ClusterConnection,
  live: ReadonlyMap<string, LiveKustomization>,
): Promise<AppliedWorld> {
  const { client } = cluster;
  const world: World = { root: '', renderings: new Map(), others: new Map(), invalid: [] };
  const problems: string[] = [];
  const trees = new Map<string, Promise<Tree>>();
  for (const [key, object] of live) {
    const revision = object.status?.lastAppliedRevision;
    if (object.spec.suspend || object.metadata.deletionTimestamp || revision === undefined) continue;
    try {
      const source = await sourceOf(cluster, object);
      const id = `${describe(refOf(source as KubernetesObject))} ${revision}`;
      const tree = trees.get(id) ?? fetchTree(ctx, cluster, source, revision);
      trees.set(id, tree);
      const one = await walk({
        engine: ctx.engine,
        tree: await tree,
        root: object as KubernetesObject,
        source: source as KubernetesObject,
        rootOnly: true,
        lookUp: (ref) => client.get(ref),
        decryption: (item) => decryptionKeys({ client, ref: refOf(item as KubernetesObject) }, item),
        signal: ctx.signal,
      });
      for (const rendering of one.renderings.values()) world.renderings.set(key, rendering);
      world.invalid.push(...one.invalid);
    } catch (error) {
      problems.push(`${key} cannot be rendered at ${revision}: ${messageOf(error)}`);
    }
  }
  return { world, problems };
}

async function sourceOf(cluster: ClusterConnection, object: LiveKustomization): Promise<GitRepository> {
  const ref = sourceRefOf(object);
  if (ref.kind !== 'GitRepository') throw new Error(`sources of kind ${ref.kind} are not supported yet`);
  const source = await cluster.client.get<KubernetesObject>({ ...ref, version: 'v1' });
  if (!source) throw new Error(`its source ${objectKey(ref)} does not exist`);
  return source as unknown as GitRepository;
}

/** Fetches exactly one commit, whatever the ref of the source points at by now. */
async function fetchTree(
  ctx: AppliedContext,
  cluster: ClusterConnection,
  source: GitRepository,
  revision: string,
): Promise<Tree> {
  const kind = ctx.sources.GitRepository;
  if (!kind) throw new Error('the source kind GitRepository is missing');
  const { client } = cluster;
  const ref = refOf(source as KubernetesObject);
  const namespace = source.metadata.namespace ?? '';
  const { branch } = source.spec.ref ?? {};
  const pinned = {
    ...source,
    spec: {
      ...source.spec,
      ref: { ...(branch === undefined ? {} : { branch }), commit: commitOf(revision) },
    },
  };
  const included = await Promise.all(
    (source.spec.include ?? []).map(async ({ repository }) => {
      const name = repository.name;
      const found = await client.get<WithStatus>({ ...ref, version: 'v1', name });
      const artifact = artifactOf(found);
      if (!found || !artifact)
        throw new Error(`${namespace}/${name}, which spec.include names, has no artifact`);
      const tree = await fetchTree(ctx, cluster, found as unknown as GitRepository, artifact.revision);
      return {
        repository: name,
        artifact: { ...artifact, digest: tree.digest },
        archive: async () => tree.archive,
      };
    }),
  );
  const inputs: SourceInputs = {
    secret: (name) => readSecret(client, namespace, name, describe(ref), 'AuthenticationFailed'),
    fleetCredentials: fleetCredentials({ cluster, ref, ctx }, source),
    commit: undefined,
    included,
    current: undefined,
    signal: ctx.signal,
  };
  const { archive } = await kind.fetch(pinned as KubernetesObject, revision, inputs);
  return { archive, digest: sha256(archive) };
}
