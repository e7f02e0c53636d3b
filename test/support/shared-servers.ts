/**
 * Vitest's global set-up of the suites that need real servers. One Kubernetes control plane, one Gitea and the packaged templates for AWS are
 * shared by all test files of a run; each is made when a test first asks for it (see `cluster.ts`), so that a run which needs
 * none makes none. Test files run in other processes, so they ask over HTTP.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import type { TestProject } from 'vitest/node';
import { type Gitea, startGitea } from './gitea.ts';
import { givenCluster } from './given-cluster.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import type { PackagedTemplates } from './packaged-stacks.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL that starts a shared server when needed and answers how to reach it. */
    sharedServers: string;
  }
}

interface Shared {
  url: string;
  users: number;
  stop(): Promise<void>;
}

// Each project loads this file anew; the servers are shared all the same.
const place = globalThis as { [key: symbol]: Promise<Shared> | undefined };
const key = Symbol.for('slipway.test.shared-servers');

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  place[key] ??= open();
  const shared = await place[key];
  shared.users++;
  project.provide('sharedServers', shared.url);
  return async () => {
    shared.users--;
    if (shared.users > 0) return;
    place[key] = undefined;
    await shared.stop();
  };
}

async function open(): Promise<Shared> {
  let kubernetes: Promise<Kubernetes> | undefined;
  // One for each shape that the same test files run in: they make users and repositories of the same names.
  const giteas = new Map<string, Promise<Gitea>>();
  let stacks: Promise<PackagedTemplates> | undefined;

  async function answer(name: string): Promise<unknown> {
    if (name === 'kubernetes') {
      if (process.env.KUBECONFIG_TEST) return givenCluster(process.env.KUBECONFIG_TEST);
      kubernetes ??= startKubernetes({ controllerManager: true });
      return (await kubernetes).connection;
    }
    if (name === 'gitea' || name === 'gitea-aws') {
      const gitea = giteas.get(name) ?? startGitea();
      giteas.set(name, gitea);
      const { url, sshHost, knownHosts, admin } = await gitea;
      return { url, sshHost, knownHosts, admin };
    }
    if (name === 'packaged-stacks') {
      // Most runs do without what this loads.
      stacks ??= import('./package-example.ts').then(({ packageExample }) => packageExample());
      return stacks;
    }
    throw new Error(`There is no shared server called ${name}.`);
  }

  const secret = randomBytes(16).toString('hex');
  const server = createServer((request, response) => {
    const [, given, name = ''] = (request.url ?? '').split('/');
    if (given !== secret) {
      response.writeHead(404).end();
      return;
    }
    answer(name).then(
      (body) => response.end(JSON.stringify(body)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/${secret}`,
    users: 0,
    async stop() {
      server.close();
      server.closeAllConnections();
      const running = [kubernetes, ...giteas.values()];
      await Promise.allSettled(running.map((starting) => starting?.then((one) => one.stop())));
    },
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}
