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

export const giteaModule = 'code.gitea.io/gitea';
export const giteaVersion = 'v1.26.0';
export const giteaBuildFlags = ['-tags', 'sqlite sqlite_unlock_notify', '-ldflags', '-s -w'];

/** Folder of the Go module of the Kubernetes control plane. */
export const kubernetesSource = join(import.meta.dirname, 'kubernetes');

/** The Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager in one program. */
export function kubernetesLocation(env = process.env): TestServerLocation {
  const goMod = readFileSync(join(kubernetesSource, 'go.mod'), 'utf8');
  const version = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1];
  if (!version) throw new Error(`${kubernetesSource}/go.mod does not require k8s.io/kubernetes`);
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(kubernetesSource, file)));
  return location('kubernetes', 'controlplane', version, inputs, env);
}

/** The Git provider. Beside the program are `options`, `templates` and `public`, its static root. */
export function giteaLocation(env = process.env): TestServerLocation {
  const inputs = [giteaModule, giteaVersion, ...giteaBuildFlags];
  return location('gitea', 'gitea', giteaVersion, inputs, env);
}

/**
 * Folder for everything that is built once and kept outside the checkout.
 * `SLIPWAY_CACHE` names it; otherwise it is `slipway` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`).
 */
export function cacheDirectory(env = process.env): string {
  return env.SLIPWAY_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipway');
}

function location(
  name: string,
  program: string,
  version: string,
  inputs: (string | Buffer)[],
  env: NodeJS.ProcessEnv,
): TestServerLocation {
  // A machine that has the programs already (a prepared image) names their folder instead of building them.
  if (env.SLIPWAY_TESTSERVERS) {
    const directory = join(env.SLIPWAY_TESTSERVERS, name);
    return { directory, binary: join(directory, program), version };
  }
  const hash = createHash('sha256');
  for (const input of [process.platform, process.arch, ...inputs]) hash.update(input).update('\0');
  const key = `${name}-${version}-${hash.digest('hex').slice(0, 12)}`;
  const directory = join(cacheDirectory(env), 'testservers', key);
  return { directory, binary: join(directory, program), version };
}
