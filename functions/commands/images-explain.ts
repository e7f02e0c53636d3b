import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import { describe } from '../../lib/core/object.ts';
import type { ImageExplanation } from '../../lib/pipeline/explain-image.ts';
import type { ToolkitRef } from '../../lib/pipeline/object-key.ts';
import { withAdmin } from '../admin/client.ts';
import { openFleet } from '../open-fleet.ts';
import type { ObjectOptions } from './global-options.ts';
import { namesOf, withObjectOptions } from './global-options.ts';
import type { Column } from './print.ts';
import { age, countOf, printable, printRows, printValue } from './print.ts';
import { parseObject } from './toolkit-kinds.ts';

/** A line of the explanation: a tag with its place, or with why it has none. */
interface Line {
  place: string;
  tag: string;
  value: string;
  why: string;
}

const COLUMNS: readonly Column<Line>[] = [
  { heading: 'place', value: ({ place }) => place },
  { heading: 'tag', value: ({ tag }) => tag },
  { heading: 'ordered by', value: ({ value }) => value },
  { heading: '', value: ({ why }) => why },
];

/** `slipway images explain <policy>`: why a policy has chosen the tag that it has. */
export function addImagesExplain(images: Command): void {
  withObjectOptions(
    images
      .command('explain <policy>')
      .description(
        'show which tags a policy could choose, in which order, and why not the others (app, ns/app)',
      )
      .option('--limit <count>', 'how many tags of either kind', '20'),
  ).action(async (name: string, _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions & { limit: string }>();
    const limit = countOf(options.limit);
    const ref = policyOf(name, options.namespace);
    const open = await openFleet(options.config);
    const names = namesOf(options, open);
    const results = await withAdmin(open, (admin) =>
      Promise.allSettled(names.map((cluster) => admin.explainImage(cluster, ref))),
    );
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      // A cluster that cannot be reached stands in the way of no other.
      process.stderr.write(`slipway: cluster ${names[index]}: ${printable(messageOf(result.reason))}\n`);
      process.exitCode = 1;
    }
    const found = results.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
    if (found.length === 0 && process.exitCode !== 1)
      throw new Error(
        `there is no ${describe(ref)} in ${names.join(', ')}; name it as namespace/name, and see which there are: slipway get images`,
      );
    if (options.output !== 'table') return printValue(found, options.output);
    for (const explanation of found) print(explanation, limit);
  });
}

/** @throws Error for what is no policy's name */
function policyOf(name: string, namespace: string | undefined): ToolkitRef {
  const words = name.replace(/^(imagepolicy|imgpol|imagepol)\//i, '');
  if (words.split('/').length > 2)
    throw new Error(`${name} is no policy; name one as app, or with its namespace as apps/app`);
  return parseObject([`imagepolicy/${words}`], namespace);
}

function print(explanation: ImageExplanation, limit: number): void {
  const { cluster, policy, repository, image, chosen, message, tags, listedAt, problem } = explanation;
  const scan =
    tags === undefined || listedAt === undefined
      ? 'not scanned yet'
      : `${tags} tags, all listed ${age(listedAt, Date.now())} ago`;
  say(`${cluster}: ImagePolicy/${policy}`);
  say(`  image     ${image === '' ? 'unknown' : image} (${repository}; ${scan})`);
  if (explanation.filter) say(`  filter    ${JSON.stringify(explanation.filter)}`);
  say(`  order     ${JSON.stringify(explanation.order)}`);
  say(`  chosen    ${chosen ?? 'nothing'}`);
  say(`  status    ${message}`);
  if (problem !== undefined) say(`  problem   ${problem}`);
  const { candidates, rejected } = explanation;
  const lines = [
    ...candidates.slice(0, limit).map(
      ({ tag, value }, index): Line => ({
        place: String(index + 1),
        tag,
        value,
        why: '',
      }),
    ),
    ...rejected.slice(0, limit).map(({ tag, why }): Line => ({ place: '-', tag, value: '', why })),
  ];
  if (lines.length > 0) printRows(lines, COLUMNS, 'table', '');
  const more = Math.max(0, candidates.length - limit) + Math.max(0, rejected.length - limit);
  if (more > 0) say(`and ${more} more; see all with -o json`);
}

function say(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}
