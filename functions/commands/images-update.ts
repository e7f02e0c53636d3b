import process from 'node:process';
import type { Command } from 'commander';
import { createTwoFilesPatch } from 'diff';
import { messageOf } from '../../lib/core/errors.ts';
import { normaliseRepository } from '../../lib/core/repository.ts';
import { run } from '../../lib/exec.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { type ImagePreview, previewImages } from '../../lib/pipeline/preview-images.ts';
import { type LocalRepository, openLocalRepository, readWorkingTree } from '../../lib/source/local-tree.ts';
import type { TreeFile } from '../../lib/tar.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import type { ImageUpdateAutomation } from '../../lib/toolkit/image-update-automation.ts';
import { parseToolkitObject } from '../../lib/toolkit/parse.ts';
import type { ObjectOptions } from './global-options.ts';
import { inEachCluster, withObjectOptions } from './global-options.ts';
import { printable, printValue } from './print.ts';
import { listKind } from './toolkit-kinds.ts';

interface UpdateOptions extends ObjectOptions {
  dryRun?: boolean;
  path?: string;
}

/** What an automation would do, as it is printed. */
interface Shown {
  cluster: string;
  automation: string;
  changes: ImagePreview['update']['changes'];
  /** What was left as it is, and why. */
  left: string[];
  diff: string;
  error?: string;
}

const LIMITS = { maxFiles: 100_000, maxBytes: 1024 ** 3 };

/** `slipway images update --dry-run`: the diff of what automations would commit. */
export function addImagesUpdate(images: Command): void {
  withObjectOptions(
    images
      .command('update [automation]')
      .description(
        'show what automations would change in a local checkout of their repository (images, ns/images)',
      )
      .option('--dry-run', 'change nothing; there is no other way yet')
      .option(
        '--path <directory>',
        'root of the checkout; the repository around the current directory by default',
      ),
  )
    .addHelpText(
      'after',
      `
The policies are those of the clusters, the files those on disk. Automations of other repositories than that of the checkout are left out,
unless one is named. What somebody has taken back is shown as a change here, and is left alone by a run. Exit code: 0 when nothing would
change, 1 when something would, 2 when something failed.

  slipway images update --dry-run
  slipway images update --dry-run apps/images --cluster staging -o json`,
    )
    .action(async (name: string | undefined, _options, command: Command) => {
      try {
        process.exitCode = await preview(name, command.optsWithGlobals<UpdateOptions>());
      } catch (error) {
        process.stderr.write(`slipway: ${printable(messageOf(error))}\n`);
        process.exitCode = 2;
      }
    });
}

/** @returns the exit code */
async function preview(name: string | undefined, options: UpdateOptions): Promise<number> {
  if (!options.dryRun)
    throw new Error(
      'give --dry-run; to have an automation run now: slipway reconcile imageupdateautomation/<name>',
    );
  const repository = await openLocalRepository(run, options.path, process.cwd());
  const files = await readWorkingTree(run, repository, LIMITS);
  const remotes = new Set(repository.remotes.flatMap((url) => normaliseRepository(url) ?? []));
  const results = await inEachCluster(options, (cluster) =>
    showCluster(cluster, options, name, files, remotes),
  );
  const shown = results.flatMap((result) => result.shown);
  if (shown.length === 0 && process.exitCode === undefined) {
    const known = [...new Set(results.flatMap((result) => result.known))];
    throw new Error(nothingFor(name, options, repository, known));
  }
  if (options.output !== 'table') printValue(shown, options.output);
  else for (const one of shown) print(one);
  // A cluster that could not be reached was told by then.
  if (process.exitCode !== undefined || shown.some(({ error }) => error !== undefined)) return 2;
  return shown.some(({ changes }) => changes.length > 0) ? 1 : 0;
}

async function showCluster(
  cluster: ClusterConnection,
  { namespace }: UpdateOptions,
  name: string | undefined,
  files: readonly TreeFile[],
  remotes: ReadonlySet<string>,
): Promise<{ shown: Shown[]; known: string[] }> {
  const automations = await listKind(cluster, 'ImageUpdateAutomation', namespace);
  const sources = await listKind(cluster, 'GitRepository', undefined);
  const parsed = automations.flatMap((object) => {
    const result = parseToolkitObject(object);
    return result.ok ? [result.object as ImageUpdateAutomation] : [];
  });
  const wanted = parsed.filter(({ metadata, spec }) => {
    if (name !== undefined)
      return name === metadata.name || name === `${metadata.namespace}/${metadata.name}`;
    const home = spec.sourceRef.namespace ?? metadata.namespace;
    const source = sources.find(
      (one) => one.metadata.name === spec.sourceRef.name && one.metadata.namespace === home,
    );
    const url = (source as unknown as GitRepository | undefined)?.spec.url ?? '';
    return remotes.has(normaliseRepository(url) ?? '');
  });
  return {
    shown: await Promise.all(wanted.map((automation) => show(cluster, automation, files))),
    known: parsed.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  };
}

/** Why there is nothing to show, and what could be named instead. */
function nothingFor(
  name: string | undefined,
  { namespace }: UpdateOptions,
  { remotes }: LocalRepository,
  known: readonly string[],
): string {
  const place = namespace === undefined ? '' : ` in namespace ${namespace}`;
  const others = known.length === 0 ? `there are none${place}` : `there are ${known.join(', ')}`;
  if (name !== undefined)
    return `there is no ImageUpdateAutomation ${name}${place}${known.length === 0 ? '' : `; ${others}`}`;
  const urls = remotes.map((url) => withoutUserinfo(url)).join(', ');
  const checkout = urls === '' ? 'which has no remote' : urls;
  return `no automation is for the repository of this checkout (${checkout}); name one to see it all the same: ${others}`;
}

function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^@/]*@/i, '$1');
}

async function show(
  { client, config }: ClusterConnection,
  automation: ImageUpdateAutomation,
  files: readonly TreeFile[],
): Promise<Shown> {
  const name = `${automation.metadata.namespace}/${automation.metadata.name}`;
  try {
    const { update } = await previewImages(client, automation, files);
    const before = new Map(files.map(({ path, data }) => [path, Buffer.from(data).toString('utf8')]));
    const patches = [...update.files].map(([path, data]) =>
      createTwoFilesPatch(
        `a/${path}`,
        `b/${path}`,
        before.get(path) ?? '',
        Buffer.from(data).toString('utf8'),
      ),
    );
    const kept = update.kept.map(({ file, line, why }) => `${file}:${line} is left as it is: ${why}`);
    return {
      cluster: config.name,
      automation: name,
      changes: update.changes,
      left: [...update.problems, ...kept],
      diff: patches.join('').replace(/^={10,}\n/gm, ''),
    };
  } catch (error) {
    return {
      cluster: config.name,
      automation: name,
      changes: [],
      left: [],
      diff: '',
      error: messageOf(error),
    };
  }
}

function print({ cluster, automation, changes, left, diff, error }: Shown): void {
  const say = (text: string) => process.stdout.write(`${printable(text)}\n`);
  const what = error ?? (changes.length === 0 ? 'nothing to change' : `${changes.length} to change`);
  say(`${cluster}: ImageUpdateAutomation/${automation}: ${what}`);
  for (const line of left) say(`  ${line}`);
  // A carriage return before the end of a line is part of it, and no update changes one.
  for (const line of diff.split(/\r?\n/).filter((text) => text !== '')) say(`  ${line}`);
}
