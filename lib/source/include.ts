import { faultOfPath, readTar, type TarLimits, type TreeFile } from '../tar.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { failure } from './git-failure.ts';
import type { SourceInputs } from './source.ts';

/**
 * The files that `spec.include` brings, at the paths where they go: `fromPath` of each included artifact below `toPath`, which is
 * the name of the included object by default. https://fluxcd.io/flux/components/source/gitrepositories/#include
 * @param own the files of the repository itself
 * @throws {ReconcileError} `IllegalPath` for a path that leads out, `CopyFailure` for one that is not there or is taken
 */
export async function readIncluded(
  object: GitRepository,
  inputs: SourceInputs,
  own: readonly TreeFile[],
  limits: TarLimits,
): Promise<TreeFile[]> {
  const taken = own.map(({ path }) => path);
  const files: TreeFile[] = [];
  for (const [index, include] of (object.spec.include ?? []).entries()) {
    const name = include.repository.name;
    const source = inputs.included[index];
    if (source?.repository !== name) {
      throw failure(object, 'NotFound', `the artifact of the included GitRepository ${name} is not at hand`, {
        outcome: 'wait',
      });
    }
    const from = plainPath(object, 'fromPath', include.fromPath ?? '');
    const to = plainPath(object, 'toPath', include.toPath || name);
    const found = within([...readTar(await source.archive(), limits)], from);
    if (found.length === 0) {
      const message = `spec.include[${index}]: the artifact of ${name} has nothing at ${JSON.stringify(include.fromPath ?? '')}`;
      throw failure(object, 'CopyFailure', message);
    }
    if (taken.some((path) => overlaps(path, to))) {
      const message = `spec.include[${index}].toPath ${JSON.stringify(to)} is already there; choose another`;
      throw failure(object, 'CopyFailure', message);
    }
    for (const file of found) {
      const path = [to, file.path].filter((part) => part !== '').join('/');
      taken.push(path);
      files.push({ ...file, path });
    }
  }
  return files;
}

/** Files below a directory, with their paths from there; a single file keeps an empty path. */
function within(files: readonly TreeFile[], directory: string): TreeFile[] {
  if (directory === '') return [...files];
  return files.flatMap((file) => {
    if (file.path === directory) return [{ ...file, path: '' }];
    return file.path.startsWith(`${directory}/`)
      ? [{ ...file, path: file.path.slice(directory.length + 1) }]
      : [];
  });
}

function plainPath(object: GitRepository, field: string, path: string): string {
  const plain = path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  if (plain === '' || faultOfPath(plain) === undefined) return plain;
  throw failure(
    object,
    'IllegalPath',
    `spec.include: ${field} ${JSON.stringify(path)} leads out of the tree`,
    {
      outcome: 'stall',
    },
  );
}

function overlaps(path: string, target: string): boolean {
  return target === '' || path === target || path.startsWith(`${target}/`) || target.startsWith(`${path}/`);
}
