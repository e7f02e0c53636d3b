import type { Command } from 'commander';
import { changed } from '../../lib/core/changeset.ts';
import { kinds } from '../../lib/pipeline/kinds.ts';
import type { RunRecord } from '../../lib/store/runs.ts';
import { withAdmin } from '../admin/client.ts';
import { openFleet } from '../open-fleet.ts';
import { getImages } from './get-images.ts';
import type { GlobalOptions, ObjectOptions } from './global-options.ts';
import { namesOf, withObjectOptions } from './global-options.ts';
import { printObjects } from './object-rows.ts';
import type { Column } from './print.ts';
import { age, colour, countOf, printRows } from './print.ts';
import { kindOf, parseObject } from './toolkit-kinds.ts';

/** Columns of a list of runs. */
export const RUN_COLUMNS: readonly Column<RunRecord>[] = [
  { heading: 'age', value: (run) => age(run.finishedAt, Date.now()) },
  { heading: 'cluster', value: (run) => run.cluster },
  { heading: 'object', value: ({ object }) => `${object.kind}/${object.namespace}/${object.name}` },
  {
    heading: 'commit',
    value: (run) => (run.origin?.commit ?? run.revision?.replace(/^.*:/, '') ?? '').slice(0, 8),
  },
  { heading: 'author', value: (run) => run.origin?.author ?? '' },
  { heading: 'trigger', value: (run) => run.trigger },
  { heading: 'changes', value: (run) => String(changed({ entries: run.changes }).length) },
  { heading: 'took', value: (run) => `${run.finishedAt - run.startedAt}ms` },
  {
    heading: 'result',
    value: (run) =>
      colour(run.result, run.result === 'success' ? 'good' : run.result === 'failure' ? 'bad' : 'busy'),
  },
  { heading: 'message', value: (run) => run.message },
];

/** `slipway get [kind] [name]` and `slipway get runs`. */
export function addGet(program: Command): void {
  withObjectOptions(
    program
      .command('get [kind] [name]')
      .description(
        'show Toolkit objects of every cluster (all, ks, gitrepo, images), or the recorded runs (runs)',
      )
      .option('--limit <count>', 'how many runs', '20')
      .option('-A, --all-namespaces', 'all namespaces, which is the default'),
  ).action(async (kind: string | undefined, name: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions & { limit: string }>();
    if (kind === 'runs' || kind === 'run') {
      if (name !== undefined)
        throw new Error('the runs of one object are shown by "slipway history <object>"');
      await getRuns(options, countOf(options.limit));
    } else if (kind === 'images' || kind === 'image') await getImages(options, name);
    else await getObjects(options, kindsOf(kind), name);
  });
}

function kindsOf(word: string | undefined): string[] {
  return word === undefined || word === 'all' ? Object.keys(kinds) : [kindOf(word)];
}

async function getRuns(options: ObjectOptions, limit: number): Promise<void> {
  const open = await openFleet(options.config);
  const [cluster] = namesOf(options, open);
  const filter = options.cluster === undefined || cluster === undefined ? {} : { cluster };
  const runs = await withAdmin(open, (admin) => admin.runs({ ...filter, limit }));
  printRows(runs, RUN_COLUMNS, options.output, 'no runs are recorded yet');
}

function getObjects(options: ObjectOptions, names: readonly string[], name?: string): Promise<void> {
  return printObjects(options, {
    kinds: names,
    name,
    more: (object, kind) => ({ revision: kinds[kind]?.revision(object) ?? '' }),
    columns: [
      {
        heading: 'revision',
        value: ({ revision }) => revision.replace(/(sha\d+:[0-9a-f]{8})[0-9a-f]+/, '$1'),
      },
    ],
    none: 'there are no Toolkit objects yet',
  });
}

/** `slipway history <object>`: its recorded runs. */
export function addHistory(program: Command): void {
  withObjectOptions(
    program
      .command('history <object...>')
      .description('show the recorded runs of one object, newest first')
      .option('--limit <count>', 'how many', '20'),
  ).action(async (words: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions & GlobalOptions & { limit: string }>();
    const ref = parseObject(words, options.namespace);
    const object = `${ref.kind}/${ref.namespace}/${ref.name}`;
    const open = await openFleet(options.config);
    const names = namesOf(options, open);
    const limit = countOf(options.limit);
    const runs = await withAdmin(open, (admin) =>
      Promise.all(names.map((cluster) => admin.runs({ cluster, object, limit }))),
    );
    const newest = runs
      .flat()
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
    printRows(newest, RUN_COLUMNS, options.output, `no runs of ${object} are recorded`);
  });
}
