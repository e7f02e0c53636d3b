import { join } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Metafile } from 'esbuild';
import { FUNCTIONS, type FunctionShape } from '../../functions/aws/environment.ts';
import { lazyBuiltins } from './lazy-builtins.ts';
import { slim } from './slim.ts';

/** A bundled function. */
export interface Bundle {
  name: string;
  /** The module with the handler. */
  file: string;
  /** Bytes that are loaded before the handler can run: the module and what it imports statically. */
  startBytes: number;
  /** Bytes of everything, with what is only loaded when it is asked for. */
  bytes: number;
}

/** The functions that run from a bundle; the others run from the container image. */
export const BUNDLED: readonly string[] = Object.entries(FUNCTIONS as Record<string, FunctionShape>)
  .filter(([, { image }]) => !image)
  .map(([name]) => name);

/**
 * Functions that know `crypto`, `Headers`, `Request` and `Response` as ours, which need no loading; they never call `fetch`. Others use them in ways that ours
 * lack.
 */
const PLAIN: ReadonlySet<string> = new Set(['webhook', 'fanout', 'sweep', 'forward']);

/**
 * Bundles functions, each into a folder of its own.
 * @param root of the repository
 * @throws Error of esbuild, naming the file
 */
export async function bundleFunctions(
  root: string,
  directory: string,
  names: readonly string[] = BUNDLED,
): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  for (const name of names) {
    const { file } = (FUNCTIONS as Record<string, FunctionShape>)[name] as FunctionShape;
    const outdir = join(directory, name);
    const plain = PLAIN.has(name) ? ['infra/aws/plain-crypto.ts', 'infra/aws/plain-fetch.ts'] : [];
    const result = await build({
      ...buildOptions(root, file, outdir),
      inject: plain.map((each) => join(root, each)),
    });
    bundles.push(sizesOf(name, file, outdir, result));
  }
  return bundles;
}

/** How a module becomes a bundle of its own. */
export function buildOptions(root: string, file: string, outdir: string) {
  return {
    absWorkingDir: root,
    entryPoints: { index: file },
    outdir,
    bundle: true,
    // What is imported when it is needed stays in files of its own, and costs nothing at a cold start.
    splitting: true,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node24',
    // The modules of a library rather than its CommonJS, so that what is not used is left out.
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    plugins: [slim, lazyBuiltins],
    // Some dependencies are CommonJS and call require for modules of Node.
    banner: {
      js: "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
  } as const satisfies BuildOptions;
}

function sizesOf(
  name: string,
  source: string,
  outdir: string,
  { metafile }: BuildResult<{ metafile: true }>,
): Bundle {
  const outputs = Object.entries(metafile.outputs);
  // What is imported when it is needed is an entry point as well.
  const [entry = ''] = outputs.find(([, { entryPoint }]) => entryPoint === source) ?? [];
  const start = new Set<string>();
  follow(metafile, entry, start);
  const sum = (paths: Iterable<string>) =>
    [...paths].reduce((bytes, path) => bytes + (metafile.outputs[path]?.bytes ?? 0), 0);
  return {
    name,
    file: join(outdir, 'index.mjs'),
    startBytes: sum(start),
    bytes: sum(outputs.map(([path]) => path)),
  };
}

function follow(metafile: Metafile, path: string, seen: Set<string>): void {
  if (seen.has(path)) return;
  seen.add(path);
  for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
    if (kind === 'import-statement') follow(metafile, next, seen);
}
