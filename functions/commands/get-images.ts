import type { Condition } from '../../lib/core/conditions.ts';
import { getCondition } from '../../lib/core/conditions.ts';
import { IMAGE_GROUP } from '../../lib/pipeline/image-results.ts';
import { kinds } from '../../lib/pipeline/kinds.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import type { ImageRef } from '../../lib/toolkit/image-ref.ts';
import type { ObjectOptions } from './global-options.ts';
import { inEachCluster } from './global-options.ts';
import type { Column } from './print.ts';
import { printRows } from './print.ts';
import { listKind } from './toolkit-kinds.ts';

/** An object of the image kinds as `slipway get images` shows it. */
interface ImageRow {
  cluster: string;
  kind: string;
  namespace: string;
  name: string;
  image: string;
  /** How many tags there are, or which was chosen. */
  tag: string;
  suspended: boolean;
  ready: string;
  message: string;
}

const COLUMNS: readonly Column<ImageRow>[] = [
  { heading: 'cluster', value: ({ cluster }) => cluster },
  { heading: 'kind', value: ({ kind }) => kind },
  { heading: 'namespace', value: ({ namespace }) => namespace },
  { heading: 'name', value: ({ name }) => name },
  { heading: 'image', value: ({ image }) => image },
  { heading: 'tag', value: ({ tag }) => tag },
  { heading: 'suspended', value: ({ suspended }) => (suspended ? 'yes' : 'no') },
  { heading: 'ready', value: ({ ready }) => ready },
  { heading: 'message', value: ({ message }) => message },
];

/** `slipway get images`: images, policies and automations of every cluster. */
export async function getImages(options: ObjectOptions): Promise<void> {
  const names = Object.keys(kinds).filter((kind) => kinds[kind]?.group === IMAGE_GROUP);
  const rows = await inEachCluster(options, async (cluster) => {
    const lists = names.map(async (kind) =>
      (await listKind(cluster, kind, options.namespace)).map((object) =>
        rowOf(cluster.config.name, kind, object),
      ),
    );
    return (await Promise.all(lists)).flat();
  });
  if (rows.length === 0) return;
  printRows(rows.flat(), COLUMNS, options.output, 'there are no images yet');
}

function rowOf(cluster: string, kind: string, object: WithStatus): ImageRow {
  const { metadata, spec, status } = object;
  const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
  const latest = status?.latestRef as ImageRef | undefined;
  const scan = status?.lastScanResult as { tagCount?: number } | undefined;
  const image = (spec as { image?: string } | undefined)?.image;
  return {
    cluster,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    image: image ?? latest?.name ?? '',
    tag: latest?.tag ?? (scan?.tagCount === undefined ? '' : `${scan.tagCount} tags`),
    suspended: kinds[kind]?.suspended(object) ?? false,
    ready: ready?.status ?? 'Unknown',
    message: ready?.message ?? 'not reconciled yet',
  };
}
