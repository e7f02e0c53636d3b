import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Where a server's files are, or will be after `npm run build:testservers`. */
export interface TestServerLocation {
  /** Folder of everything that belongs to this server in this version. */
  directory: string;
  /** The program itself. */
  binary: string;
  /** Version of the server, e.g. `v1.34.4`. */
  version: string;
}

/** The servers there are. */
export type TestServerName = 'kubernetes' | 'gitea' | 'registry';

/** Folder with the Go module that names the version of a server. */
export function sourceOf(name: TestServerName): string {
  return join(import.meta.dirname, name);
}

/** The Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager in one program. */
export function kubernetesLocation(env = process.env): TestServerLocation {
  return location('kubernetes', 'controlplane', 'k8s.io/kubernetes', ['main.go'], env);
}

/** The Git provider. Beside the program are `options`, `templates` and `public`, its static root. */
export function giteaLocation(env = process.env): TestServerLocation {
  return location('gitea', 'gitea', 'code.gitea.io/gitea', [], env);
}

/** The container registry. */
export function registryLocation(env = process.env): TestServerLocation {
  return location('registry', 'registry', 'github.com/distribution/distribution/v3', ['main.go'], env);
}

/**
 * Folder for everything that is built once and kept outside the checkout.
 * `SLIPWAY_CACHE` names it; otherwise it is `slipway` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`).
 */
export function cacheDirectory(env = process.env): string {
  return env.SLIPWAY_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipway');
}

function location(
  name: TestServerName,
  program: string,
  module: string,
  sources: string[],
  env: NodeJS.ProcessEnv,
): TestServerLocation {
  const source = sourceOf(name);
  const goMod = readFileSync(join(source, 'go.mod'), 'utf8').split('\n');
  const required = goMod
    .map((line) => line.replace('require', '').trim())
    .find((line) => line.startsWith(`${module} v`));
  const version = required?.split(' ')[1];
  if (!version) throw new Error(`${source}/go.mod does not require ${module}`);
  // A machine that has the programs already (a prepared image) names their folder instead of building them.
  if (env.SLIPWAY_TESTSERVERS) {
    const directory = join(env.SLIPWAY_TESTSERVERS, name);
    return { directory, binary: join(directory, program), version };
  }
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\0`);
  for (const file of ['go.mod', 'go.sum', ...sources])
    hash.update(readFileSync(join(source, file))).update('\0');
  const key = `${name}-${version}-${hash.digest('hex').slice(0, 12)}`;
  const directory = join(cacheDirectory(env), 'testservers', key);
  return { directory, binary: join(directory, program), version };
}
