import type { Condition } from '../../lib/core/conditions.ts';
import { getCondition } from '../../lib/core/conditions.ts';
import { kinds } from '../../lib/pipeline/kinds.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import type { ObjectOptions } from './global-options.ts';
import { inEachCluster, MissingObject } from './global-options.ts';
import type { Column } from './print.ts';
import { printRows } from './print.ts';
import { listKind } from './toolkit-kinds.ts';

/** What every list of Toolkit objects shows. */
export interface ObjectRow {
  cluster: string;
  kind: string;
  namespace: string;
  name: string;
  suspended: boolean;
  ready: string;
  message: string;
}

const NAMES: readonly Column<ObjectRow>[] = [
  { heading: 'cluster', value: ({ cluster }) => cluster },
  { heading: 'kind', value: ({ kind }) => kind },
  { heading: 'namespace', value: ({ namespace }) => namespace },
  { heading: 'name', value: ({ name }) => name },
];

const STATES: readonly Column<ObjectRow>[] = [
  { heading: 'suspended', value: ({ suspended }) => (suspended ? 'yes' : 'no') },
  { heading: 'ready', value: ({ ready }) => ready },
  { heading: 'message', value: ({ message }) => message },
];

/** What a list shows beside that, and of which kinds. */
export interface ObjectList<T> {
  kinds: readonly string[];
  /** The one name that is asked for. Default: all. */
  name?: string | undefined;
  columns: readonly Column<ObjectRow & T>[];
  more(object: WithStatus, kind: string): T;
  /** Said when there are none. */
  none: string;
}

/** Prints the objects of some kinds in every cluster that can be reached; a name that is nowhere is an error. */
export async function printObjects<T extends object>(
  options: ObjectOptions,
  { kinds: names, name, columns, more, none }: ObjectList<T>,
): Promise<void> {
  const rows = await inEachCluster(options, async (cluster) => {
    const lists = names.map(async (kind) =>
      (await listKind(cluster, kind, options.namespace))
        .filter(({ metadata }) => name === undefined || metadata.name === name)
        .map((object) => rowOf(cluster.config.name, kind, object, more(object, kind))),
    );
    const found = (await Promise.all(lists)).flat();
    if (name === undefined || found.length > 0) return found;
    const place = options.namespace === undefined ? '' : ` in the namespace ${options.namespace}`;
    throw new MissingObject(
      `there is no ${names.join(' or ')} ${name}${place} in cluster ${cluster.config.name}`,
    );
  });
  if (rows.length > 0) printRows(rows.flat(), [...NAMES, ...columns, ...STATES], options.output, none);
}

function rowOf<T extends object>(cluster: string, kind: string, object: WithStatus, more: T): ObjectRow & T {
  const ready = getCondition(object.status?.conditions as Condition[] | undefined, 'Ready');
  return {
    cluster,
    kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    ...more,
    suspended: kinds[kind]?.suspended(object) ?? false,
    ready: ready?.status ?? 'Unknown',
    message: ready?.message ?? 'not reconciled yet',
  };
}
