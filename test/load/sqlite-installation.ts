import { join } from 'node:path';
import process from 'node:process';
import { withAdmin } from '../../functions/admin/client.ts';
import { openFleet } from '../../functions/open-fleet.ts';
import { LEASE_MS } from '../../lib/pipeline/reconcile.ts';
import { freePort } from '../support/ports.ts';
import { writeFleet } from '../support/slipway.ts';
import { CLUSTER } from './cluster-name.ts';
import type { Ground, Installation } from './installation.ts';
import { LoadWorker } from './load-worker.ts';

const CLI = join(import.meta.dirname, '..', '..', 'functions', 'cli.ts');

/** `slipway serve`: the one process that the store allows is all there is to strike. */
export async function startSqliteInstallation(ground: Ground): Promise<Installation> {
  const { directory, kubernetes, gitea, fleet, evidence } = ground;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'slipway.yaml');
  const worker = new LoadWorker({
    name: 'serve',
    ...{ kubernetes, evidence, directory },
    args: [CLI, 'serve', '--config', config],
    env: process.env,
    configure: (kubeconfig) =>
      writeFleet({ directory, clusters: { [CLUSTER]: { kubeconfig } }, repository: fleet, gitea }, port),
    isReady: async () => (await fetch(`${url}/readyz`)).ok,
  });
  await worker.start();
  return {
    backend: 'sqlite',
    url,
    workers: [worker],
    pauseMs: LEASE_MS + 2_000,
    mostPaused: 1,
    async deadLetters() {
      const letters = await withAdmin(await openFleet(config), (admin) => admin.deadLetters());
      return letters.map(({ queue, group }) => `${queue}: ${group}`);
    },
    stop: () => worker.stop(),
  };
}
