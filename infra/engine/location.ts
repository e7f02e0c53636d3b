import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Folder of the Go module of the engine. */
export const engineSource = import.meta.dirname;

/** What the engine is compiled with. The version is that of kustomize, which `buildMetadata: [managedByLabel]` prints. */
export const engineFlags: readonly string[] = [
  '-trimpath',
  '-buildvcs=false',
  '-ldflags',
  '-s -w -X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1',
];

/** A digest over everything that goes into the engine, so that changed sources are built anew. */
export function engineDigest(): string {
  const inputs = readdirSync(engineSource, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(^|\/)(go\.(mod|sum)|[^/]+\.go)$/.test(file) && !file.endsWith('_test.go'))
    .sort();
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${engineFlags}\0`);
  for (const file of inputs)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(engineSource, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * Where the engine's program is, or will be after `npm run build:engine`.
 * `SLIPWAY_ENGINE` names a program built elsewhere (as in a container image); `SLIPWAY_CACHE` the folder for everything
 * that is built once, by default `slipway` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`).
 */
export function enginePath(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SLIPWAY_ENGINE) return env.SLIPWAY_ENGINE;
  const cache = env.SLIPWAY_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipway');
  return join(cache, 'engine', engineDigest(), 'engine');
}
