import process from 'node:process';
import type { Command } from 'commander';
import type { Condition } from '../../lib/core/conditions.ts';
import { getCondition } from '../../lib/core/conditions.ts';
import type { InventoryEntry } from '../../lib/core/inventory.ts';
import { parseEntry } from '../../lib/core/inventory.ts';
import { describe } from '../../lib/core/object.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import type { ToolkitRef } from '../../lib/pipeline/object-key.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import type { ObjectOptions } from './global-options.ts';
import { inEachCluster, MissingObject, withObjectOptions } from './global-options.ts';
import { colour, printValue } from './print.ts';
import { listKind, parseKustomization } from './toolkit-kinds.ts';

/** An object and what it has applied. */
interface Node {
  object: string;
  ready?: string;
  message?: string;
  children?: Node[];
}

/** `slipway tree [object]`: what a Kustomization has applied, down through the Kustomizations it brought. */
export function addTree(program: Command): void {
  withObjectOptions(
    program
      .command('tree [object...]')
      .description('show what a Kustomization has applied; the root one by default'),
  ).action(async (words: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions>();
    const ref = parseKustomization(words.length === 0 ? ['ks', 'flux-system'] : words, options.namespace);
    const trees = await inEachCluster(options, async (cluster) => ({
      cluster: cluster.config.name,
      root: await treeOf(cluster, ref),
    }));
    if (options.output !== 'table') return printValue(trees, options.output);
    for (const { cluster, root } of trees) {
      process.stdout.write(`${cluster}\n`);
      draw(root, '', true);
    }
  });
}

async function treeOf(cluster: ClusterConnection, ref: ToolkitRef): Promise<Node> {
  const all = new Map(
    (await listKind(cluster, 'Kustomization')).map((item) => [
      `${item.metadata.namespace}/${item.metadata.name}`,
      item,
    ]),
  );
  const root = all.get(`${ref.namespace}/${ref.name}`);
  if (!root)
    throw new MissingObject(
      `there is no Kustomization/${ref.namespace}/${ref.name} in cluster ${cluster.config.name}`,
    );
  return nodeOf(root, all, new Set());
}

function nodeOf(item: WithStatus, all: ReadonlyMap<string, WithStatus>, seen: Set<string>): Node {
  const key = `${item.metadata.namespace}/${item.metadata.name}`;
  const ready = getCondition(item.status?.conditions as Condition[] | undefined, 'Ready');
  const node: Node = {
    object: `Kustomization/${key}`,
    ready: ready?.status ?? 'Unknown',
    message: ready?.message ?? '',
  };
  // A Kustomization may hold itself (the root does, in a bootstrapped repository).
  if (seen.has(key)) return node;
  seen.add(key);
  const entries = (item.status?.inventory as { entries: InventoryEntry[] } | undefined)?.entries ?? [];
  node.children = entries.flatMap((entry) => {
    const ref = parseEntry(entry);
    if (!ref) return [];
    const child =
      ref.kind === 'Kustomization' && ref.group.endsWith('.fluxcd.io')
        ? all.get(`${ref.namespace}/${ref.name}`)
        : undefined;
    return [child ? nodeOf(child, all, seen) : { object: describe(ref) }];
  });
  return node;
}

function draw(node: Node, indent: string, last: boolean): void {
  const state =
    node.ready === undefined
      ? ''
      : ` ${colour(node.ready === 'True' ? 'ready' : `${node.ready === 'False' ? 'failed' : 'busy'}: ${node.message}`, node.ready === 'True' ? 'good' : node.ready === 'False' ? 'bad' : 'busy')}`;
  process.stdout.write(`${indent}${last ? '└── ' : '├── '}${node.object}${state}\n`);
  const children = node.children ?? [];
  for (const [index, child] of children.entries())
    draw(child, `${indent}${last ? '    ' : '│   '}`, index === children.length - 1);
}
