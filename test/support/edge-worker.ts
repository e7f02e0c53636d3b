import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { ROOT } from '../../infra/aws/package-stacks.ts';

/** The edge in the runtime that Cloudflare runs it in. */
export interface EdgeWorker {
  url: string;
  stop(): Promise<void>;
}

/** Bundles the Worker as wrangler does and runs it in workerd on a free port. */
export async function startEdgeWorker(variables: Record<string, string>): Promise<EdgeWorker> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, 'infra/edge/worker.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*'],
    write: false,
    logLevel: 'error',
  });
  const script = outputFiles[0]?.text ?? '';
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    compatibilityDate: '2026-07-01',
    compatibilityFlags: ['nodejs_compat'],
    bindings: variables,
    host: '127.0.0.1',
    port: 0,
  });
  const url = (await miniflare.ready).href.replace(/\/$/, '');
  return { url, stop: () => miniflare.dispose() };
}
