import { digestOf } from '../core/digest.ts';
import type { KubernetesObject } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import { rootObjects } from '../toolkit/bootstrap.ts';
import { customResourceDefinitions } from '../toolkit/crd.ts';
import type { ClusterConnection, Context } from './context.ts';

/** What the fleet file said when the root object was written; while it says the same, the repository may change the object. */
const FLEET_DIGEST = 'slipway.dev/fleet';
const MANAGER = 'slipway';

/**
 * Makes sure that a cluster has the Toolkit's custom resource definitions and the root objects of the fleet file: the namespace, the root
 * `GitRepository` and the root `Kustomization`. What is there is left as it is, so that an installed Flux's newer definitions, and roots that
 * live in the repository (`gotk-sync`), hold; root objects follow the fleet file when it changes.
 */
export async function ensureRoots(ctx: Context, cluster: ClusterConnection): Promise<void> {
  const { client, config } = cluster;
  let installed = false;
  for (const definition of customResourceDefinitions()) {
    if (await client.getMetadata(refOf(definition))) continue;
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
