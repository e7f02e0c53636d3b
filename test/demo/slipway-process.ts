import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { SLIPWAY } from '../support/cli.ts';
import type { GiteaConnection } from '../support/gitea-client.ts';
import { freePort } from '../support/ports.ts';
import { type Server, startServer, waitUntilReady } from '../support/process.ts';

const run = promisify(execFile);

export interface SlipwayOptions {
  /** Folder for its configuration, data and log. */
  directory: string;
  gitea: GiteaConnection;
  /** Clone URL of the fleet repository. */
  repository: string;
  /** Kubeconfig text by name of the cluster. */
  clusters: Record<string, string>;
  /** Host and port of the registry whose images are followed. */
  registry: string;
  webhookSecret: string;
}

export interface Slipway {
  url: string;
  /** Its fleet file. */
  config: string;
  /** Runs another command of `slipway` with the same fleet file; answers what it printed. */
  command(...args: string[]): Promise<string>;
  server: Server;
  stop(): Promise<void>;
}

/** Starts Slipway as its user would: a fleet file, then `slipway serve`. */
export async function startSlipway(options: SlipwayOptions): Promise<Slipway> {
  const { directory, gitea } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'slipway.yaml');
  for (const [name, kubeconfig] of Object.entries(options.clusters)) {
    await writeFile(join(directory, `${name}.kubeconfig`), kubeconfig, { mode: 0o600 });
  }
  const fleet = {
    clusters: Object.keys(options.clusters).map((name) => ({
      name,
      kubeconfig: `file:${name}.kubeconfig`,
      source: { url: options.repository, branch: 'main', path: `clusters/${name}` },
    })),
    providers: [
      {
        name: 'gitea',
        type: 'gitea',
        url: gitea.url,
        token: 'env:GITEA_TOKEN',
        webhookSecrets: ['env:WEBHOOK_SECRET'],
      },
    ],
    registries: [
      {
        name: 'registry',
        type: 'distribution',
        host: options.registry,
        webhookSecrets: ['env:WEBHOOK_SECRET'],
      },
    ],
    network: { allow: ['127.0.0.1'] },
    server: { listen: `127.0.0.1:${port}`, url },
    storage: { directory: './data' },
    sweep: { interval: '5s' },
  };
  await writeFile(config, stringify(fleet));
  const env = { ...process.env, GITEA_TOKEN: gitea.admin.token, WEBHOOK_SECRET: options.webhookSecret };
  const server = await startServer({
    name: 'slipway',
    command: SLIPWAY,
    args: ['serve', '--config', config],
    logFile: join(directory, 'slipway.log'),
    cwd: directory,
    env,
    scratch: directory,
  });
  await waitUntilReady(server, async () => (await fetch(`${url}/readyz`)).ok, 60_000);
  return {
    url,
    config,
    async command(...args) {
      const { stdout } = await run(SLIPWAY, [...args, '--config', config], {
        cwd: directory,
        env,
      });
      return stdout;
    },
    server,
    stop: () => server.stop('SIGTERM', 15_000),
  };
}
