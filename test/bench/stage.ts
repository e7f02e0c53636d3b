import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { listen } from '../../functions/listen.ts';
import { runLocal } from '../../functions/local.ts';
import { openContext } from '../../functions/open-context.ts';
import { openFleet } from '../../functions/open-fleet.ts';
import { createApp } from '../../functions/web.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { createLog } from '../../lib/log.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { listKustomizations } from '../../lib/pipeline/kustomizations.ts';
import { ensureRoots } from '../../lib/pipeline/roots.ts';
import { TICK_MS } from '../../lib/pipeline/tick.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository-builder.ts';
import { type Kubernetes, startKubernetes } from '../support/kubernetes.ts';
import { freePort } from '../support/ports.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { signedPush } from '../support/signed-push.ts';
import { startBenchGit } from './git.ts';
import { startObserver } from './observer.ts';
import { SECRET } from './secret.ts';

/** Everything that a case works with: a real API server, Git server and registry, and Slipway in this process. */
export interface Stage {
  kubernetes: Kubernetes;
  client: KubeClient;
  repository: TestRepository;
  /** Tells Slipway of pushes. */
  registry: Registry;
  ctx: Context;
  /** Where webhooks go. */
  url: string;
  /** Clone URL of the repository. */
  repositoryUrl: string;
  /** Starts the workers, sweeps and watches; until then nothing is reconciled. */
  start(): void;
  /** Sends the signed webhook of a push to a branch. Default: `main`. */
  push(commit: string, branch?: string): Promise<Response>;
  /** Resolves with the time (epoch in ms) at which the last of the named Kustomizations was Ready at the commit. */
  ready(names: readonly string[], commit: string, timeoutMs?: number): Promise<number>;
  /** Resolves when every Kustomization of the root's source has come to the newest commit, so that no figure is paid for what the one before it has left to do. */
  quiet(): Promise<void>;
  /** Ends Slipway alone; all that it works with goes on. */
  stopSlipway(): Promise<void>;
  stop(): Promise<void>;
}

const LOG = createLog({
  level: 'error',
  format: 'text',
  write: (line) => process.stderr.write(line),
  now: Date.now,
});

/** Where Slipway runs: in this process over SQLite, or as the functions of AWS over servers that speak SQS, S3 and DynamoDB. */
export type Backend = 'local' | 'aws';

/** Slipway, opened and served. */
interface Opened {
  ctx: Context;
  url: string;
  start(): void;
  close(): Promise<void>;
}

/** Sets the stage with an empty repository, CRDs and root objects in place, and nothing running yet. */
export async function setStage(backend: Backend = 'local'): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const [kubernetes, repository] = await Promise.all([startKubernetes(), createTestRepository()]);
  await repository.commit({ 'clusters/bench/kustomization.yaml': 'resources: []\n' });
  // Slipway pushes as well; the work tree follows.
  await repository.git(['config', 'http.receivepack', 'true']);
  await repository.git(['config', 'receive.denyCurrentBranch', 'updateInstead']);
  const git = await startBenchGit(join(repository.directory, '.git'));
  const repositoryUrl = `${git.url}/bench/fleet.git`;
  const registryPort = await freePort();
  const registryHost = `127.0.0.1:${registryPort}`;
  writeFileSync(join(directory, 'kubeconfig'), kubernetes.kubeconfig);
  writeFileSync(join(directory, 'secret'), SECRET);
  writeFileSync(
    join(directory, 'slipway.yaml'),
    stringify({
      clusters: [
        {
          name: 'bench',
          kubeconfig: 'file:kubeconfig',
          source: { url: repositoryUrl, path: './clusters/bench' },
        },
      ],
      providers: [{ name: 'git', type: 'gitea', url: git.url, webhookSecrets: ['file:secret'] }],
      registries: [
        { name: 'own', type: 'distribution', host: registryHost, webhookSecrets: ['file:secret'] },
      ],
      network: { allow: ['127.0.0.1'] },
      server: { listen: '127.0.0.1:0' },
      storage: { directory: './data' },
    }),
  );
  const fleet = join(directory, 'slipway.yaml');
  let isStarted = backend === 'aws';
  const opened = await (backend === 'aws' ? openOnAws : openHere)(fleet, directory);
  const notifications = `${opened.url}/webhooks/registry/distribution`;
  const registry = await startRegistry({
    port: registryPort,
    notify: [{ url: notifications, headers: { Authorization: `Bearer ${SECRET}` } }],
  });
  const client = createKubeClient(kubernetes);
  const observer = startObserver(kubernetes.connection);
  await ensureRoots(opened.ctx, await opened.ctx.cluster('bench'));
  let closed: Promise<void> | undefined;
  const stopSlipway = () => {
    closed ??= opened.close();
    return closed;
  };
  const ready: Stage['ready'] = (names, commit, timeoutMs = 600_000) =>
    observer.ready(names, commit, timeoutMs);
  return {
    kubernetes,
    client,
    repository,
    registry,
    ctx: opened.ctx,
    url: opened.url,
    repositoryUrl,
    start() {
      isStarted = true;
      opened.start();
    },
    push: (commit, branch) => sendPush(opened.url, repositoryUrl, commit, branch),
    ready,
    async quiet() {
      // Nobody brings anything to a commit yet.
      if (!isStarted) return;
      const names = (await listKustomizations(client))
        .filter(({ spec }) => spec.sourceRef.name === 'flux-system')
        .map(({ metadata }) => metadata.name);
      await ready(names, await repository.git(['rev-parse', 'HEAD']));
    },
    stopSlipway,
    async stop() {
      await stopSlipway();
      await Promise.allSettled([
        observer.stop(),
        client.close(),
        git.stop(),
        registry.stop(),
        kubernetes.stop(),
      ]);
      repository.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function openHere(fleet: string): Promise<Opened> {
  const stop = new AbortController();
  const open = await openFleet(fleet);
  const { ctx, close } = await openContext(open, LOG, stop.signal);
  const server = await listen(createApp(ctx, open), open.fleet.server.listen);
  let running: Promise<void> | undefined;
  return {
    ctx,
    url: server.url,
    start() {
      running ??= runLocal(ctx);
    },
    async close() {
      stop.abort(new Error('the benchmark is over'));
      await running;
      await server.close();
      await close();
    },
  };
}

/** The functions run from the beginning on: whoever waits for something has not asked for it yet. */
async function openOnAws(fleet: string, directory: string): Promise<Opened> {
  const { startAwsLocal } = await import('../aws-local/aws-local.ts');
  const { worker, url, stop } = await startAwsLocal({
    name: 'bench',
    fleet,
    clusters: ['bench'],
    directory: join(directory, 'aws'),
    port: 0,
    // As on AWS, so that nothing is found by a tick that should have been told.
    tickMs: TICK_MS,
    log: LOG,
  });
  return { ctx: worker.ctx, url, start() {}, close: stop };
}

async function sendPush(
  url: string,
  repositoryUrl: string,
  commit: string,
  branch?: string,
): Promise<Response> {
  const response = await fetch(
    `${url}/webhooks/gitea`,
    signedPush(repositoryUrl, commit, `${commit}-${Date.now()}`, SECRET, branch),
  );
  if (response.status !== 202)
    throw new Error(`the webhook was answered with ${response.status}: ${await response.text()}`);
  return response;
}
