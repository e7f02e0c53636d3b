import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../../lib/core/errors.ts';
import { withAdmin } from '../admin/client.ts';
import { openFleet } from '../open-fleet.ts';
import type { GlobalOptions, ObjectOptions } from './global-options.ts';
import { namesOf, withObjectOptions } from './global-options.ts';
import { age, printable, printRows } from './print.ts';
import { parseKustomization } from './toolkit-kinds.ts';

/** `slipway approve`: allows the deletions that the prune guard refused. */
export function addApprove(program: Command): void {
  withObjectOptions(
    program
      .command('approve <object> <digest>')
      .description(
        'allow a Kustomization to delete what the render with this digest leaves out (the refusal names both)',
      ),
  ).action(async (object: string, digest: string, _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions>();
    if (!/^sha256:[0-9a-f]{64}$/.test(digest))
      throw new Error('the digest must be sha256: and 64 hex digits, as the refusal prints it');
    const ref = parseKustomization([object], options.namespace);
    const open = await openFleet(options.config);
    const names = namesOf(options, open);
    await withAdmin(open, async (admin) => {
      const object = `${ref.kind}/${ref.namespace}/${ref.name}`;
      const results = await Promise.allSettled(names.map((name) => admin.approve(name, ref, digest)));
      for (const [index, result] of results.entries()) {
        if (result.status === 'fulfilled')
          process.stdout.write(`${names[index]}: ${object} may delete what ${digest} leaves out\n`);
        else process.stderr.write(`slipway: ${printable(messageOf(result.reason))}\n`);
      }
      if (!results.some(({ status }) => status === 'fulfilled')) process.exitCode = 1;
    });
  });
}

/** `slipway resync`: rebuilds the index of clusters from the clusters. */
export function addResync(program: Command): void {
  program
    .command('resync [cluster...]')
    .description('rebuild the whole index from the clusters; nothing is deleted in them')
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const open = await openFleet(options.config);
      const chosen = names.length > 0 ? names : open.fleet.clusters.map(({ name }) => name);
      await withAdmin(open, async (admin) => {
        for (const name of chosen)
          process.stdout.write(`${name}: ${await admin.resync(name)} objects are reconciled anew\n`);
      });
    });
}

/** `slipway dead-letters`: jobs that failed too often, and how to send them again. */
export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('jobs that were put aside because they failed too often');
  group
    .command('list', { isDefault: true })
    .description('show them, oldest first')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const letters = await withAdmin(await openFleet(options.config), (admin) => admin.deadLetters());
      const columns = [
        { heading: 'id', value: ({ id }: (typeof letters)[number]) => id },
        { heading: 'age', value: ({ sentAt }: (typeof letters)[number]) => age(sentAt, Date.now()) },
        { heading: 'queue', value: ({ queue }: (typeof letters)[number]) => queue },
        { heading: 'tries', value: ({ receiveCount }: (typeof letters)[number]) => String(receiveCount) },
        { heading: 'group', value: ({ group: name }: (typeof letters)[number]) => name },
      ];
      printRows(letters, columns, options.output, 'there are no dead letters');
    });
  group
    .command('redrive [id...]')
    .description('send them again, all or those named')
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const count = await withAdmin(await openFleet(options.config), (admin) =>
        admin.redrive(ids.length > 0 ? ids : undefined),
      );
      process.stdout.write(`${count} sent again\n`);
      if (count < ids.length) {
        process.stderr.write('slipway: not all of these ids are among the dead letters\n');
        process.exitCode = 1;
      }
    });
}
