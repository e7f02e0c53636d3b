import { digestOf } from '../core/digest.ts';
import type { KubernetesObject } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import type { PartialObject } from '../kube/client.ts';
import { rootObjects } from '../toolkit/bootstrap.ts';
import { compareCrd } from '../toolkit/compatibility.ts';
import { customResourceDefinitions } from '../toolkit/crd.ts';
import type { ClusterConnection, Context } from './context.ts';

/** What the fleet file said when the root object was written; while it says the same, the repository may change the object. */
const FLEET_DIGEST = 'slipway.dev/fleet';
const MANAGER = 'slipway';

const CRD = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' };

/** The states of installed definitions that were compared with ours, by cluster. */
const compared = new WeakMap<object, Set<string>>();

/**
 * Makes sure that a cluster has the Toolkit's custom resource definitions and the root objects of the fleet file: the namespace, the root
 * `GitRepository` and the root `Kustomization`. What is there is left as it is, so that an installed Flux's newer definitions, and roots that
 * live in the repository (`gotk-sync`), hold; root objects follow the fleet file when it changes.
 */
export async function ensureRoots(ctx: Context, cluster: ClusterConnection): Promise<void> {
  const { client, config } = cluster;
  let installed = false;
  const definitions = await Promise.all(
    customResourceDefinitions().map(async (definition) => ({
      definition,
      live: await client.getMetadata(refOf(definition)),
    })),
  );
  for (const { definition, live } of definitions) {
    if (live) {
      await compare(ctx, cluster, live);
      continue;
    }
    await client.apply(definition, { fieldManager: MANAGER, force: true });
    ctx.log.info(
      { cluster: config.name, definition: definition.metadata.name },
      'installed a custom resource definition',
    );
    installed = true;
  }
  if (installed) await established(ctx, cluster);
  for (const object of rootObjects(config)) await ensure(ctx, cluster, object);
}

/** Says once for each state of an installed definition which fields it lacks. */
async function compare(ctx: Context, cluster: ClusterConnection, { metadata }: PartialObject): Promise<void> {
  const seen = compared.get(cluster) ?? new Set<string>();
  compared.set(cluster, seen);
  const state = `${metadata.uid}/${metadata.generation}`;
  if (seen.has(state)) return;
  seen.add(state);
  const installed = await cluster.client.get<KubernetesObject>({
    ...CRD,
    namespace: '',
    name: metadata.name,
  });
  const found = installed && compareCrd(installed);
  if (!found || (found.served && found.missing.length === 0)) return;
  const lacks = found.served ? `lacks ${found.missing.join(', ')}` : 'does not serve the version v1';
  ctx.log.warn(
    { cluster: cluster.config.name, definition: metadata.name },
    `an older definition of the Toolkit is installed and ${lacks}; objects that use these are refused there until it is upgraded (slipway crds)`,
  );
}

async function ensure(ctx: Context, cluster: ClusterConnection, object: KubernetesObject): Promise<void> {
  const digest = digestOf(object);
  const live = await cluster.client.get<KubernetesObject>(refOf(object));
  if (live && (object.kind === 'Namespace' || live.metadata.annotations?.[FLEET_DIGEST] === digest)) return;
  const annotations = { ...object.metadata.annotations, [FLEET_DIGEST]: digest };
  const wanted =
    object.kind === 'Namespace' ? object : { ...object, metadata: { ...object.metadata, annotations } };
  await cluster.client.apply(wanted, { fieldManager: MANAGER, force: true });
  ctx.log.info(
    { cluster: cluster.config.name, object: `${object.kind}/${object.metadata.name}` },
    live ? 'root object follows the fleet file' : 'root object created',
  );
}

/** New definitions are served a moment after they were written. */
async function established(ctx: Context, { client }: ClusterConnection): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    client.invalidate();
    const served = await Promise.all(
      customResourceDefinitions().map((definition) => {
        const spec = definition.spec as {
          group: string;
          names: { kind: string };
          versions: { name: string }[];
        };
        return client.resource({
          group: spec.group,
          kind: spec.names.kind,
          version: spec.versions[0]?.name ?? 'v1',
        });
      }),
    );
    if (served.every((resource) => resource !== undefined)) return;
    await ctx.sleep(200, ctx.signal);
  }
}
