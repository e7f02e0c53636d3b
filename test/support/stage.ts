/**
 * A cluster with a running Slipway, and teams that deploy to it: each with a namespace, a repository at Gitea with its webhook, and a
 * GitRepository `app`. Several tests share one stage, since no team sees the others.
 *
 *     const stage = await startStage();
 *     const team = await stage.team({ 'app/settings.yaml': '…' });
 *     await team.kustomize('app', './app');
 *     await team.ready('app');
 *     await stage.stop();
 */
import { randomBytes } from 'node:crypto';
import { useGitea } from './cluster.ts';
import { eventually } from './eventually.ts';
import { gitRepository, kustomization } from './fleet-repository.ts';
import type { GiteaClient } from './gitea-client.ts';
import type { GiteaFiles, GiteaRepository } from './gitea-repository.ts';
import { conditionOf, isReadyAt, type Objects, objectsOf, type ToolkitObject } from './kube-objects.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import { type Slipway, type SlipwayOptions, startSlipway, WEBHOOK_SECRET } from './slipway.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The name of the cluster in the fleet file, and so of the commit status. */
export const CLUSTER = 'production';
export const STATUS = `slipway/${CLUSTER}`;

/** A team and what it deploys. */
export interface Team {
  /** Its namespace. */
  name: string;
  repository: GiteaRepository;
  /** Commits files. @returns the commit */
  push(files: GiteaFiles): Promise<string>;
  /** Makes a Kustomization of the team's source in its namespace, with objects in that namespace. */
  kustomize(name: string, path: string, spec?: Record<string, unknown>): Promise<void>;
  /** The Kustomization as it is now. */
  kustomization(name?: string): Promise<ToolkitObject | undefined>;
  /** Waits until a Kustomization (default `app`) is ready at a commit (default: the newest). */
  ready(name?: string, commit?: string): Promise<ToolkitObject>;
  /** Waits until a Kustomization is not ready for a reason. @returns the message */
  failed(reason: string, name?: string, message?: RegExp): Promise<string>;
  /** Names of the ConfigMaps in the namespace that are not the cluster's own. */
  configMaps(): Promise<string[]>;
  data(name: string): Promise<Record<string, string> | undefined>;
  uid(name: string): Promise<string | undefined>;
  /** Waits until the status of a commit for the cluster is this. */
  status(commit: string, state: string): Promise<void>;
}

/** What runs. */
export interface Stage {
  kubernetes: Kubernetes;
  objects: Objects;
  slipway: Slipway;
  gitea: GiteaClient;
  /** The fleet repository; its root applies `clusters/production`. */
  root: GiteaRepository;
  team(files: GiteaFiles, options?: { source?: Record<string, unknown> }): Promise<Team>;
  /** A name that no other test has. */
  unique(prefix: string): string;
  stop(): Promise<void>;
}

/** Starts a control plane and Slipway on it. */
export async function startStage(
  options: Partial<SlipwayOptions> & { cluster?: Record<string, unknown>; controllerManager?: boolean } = {},
): Promise<Stage> {
  const directory = await temporaryDirectory();
  const [gitea, kubernetes] = await Promise.all([
    useGitea(),
    startKubernetes({ name: CLUSTER, controllerManager: options.controllerManager ?? false }),
  ]);
  const objects = objectsOf(kubernetes);
  const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
  const root = await gitea.createRepository(unique('fleet'), {
    files: { [`clusters/${CLUSTER}/root.yaml`]: rootFile() },
  });
  const slipway = await startSlipway({
    directory: directory.path,
    clusters: { [CLUSTER]: { kubeconfig: kubernetes.kubeconfig, more: options.cluster ?? {} } },
    repository: root.url,
    gitea,
    ...options,
  });

  async function team(files: GiteaFiles, given: { source?: Record<string, unknown> } = {}): Promise<Team> {
    const name = unique('team');
    const repository = await gitea.createRepository(name, { files, private: false });
    await repository.createWebhook(`${slipway.url}/webhooks/gitea`, WEBHOOK_SECRET);
    await objects.namespace(name);
    await eventually(
      'the Toolkit is installed',
      async () => (await objects.list('gitrepositories')).length > 0,
    );
    await objects.create('gitrepositories', gitRepository('app', name, repository.url, given.source));
    return { name, repository, ...teamActions(objects, repository, name) };
  }

  return {
    kubernetes,
    objects,
    slipway,
    gitea,
    root,
    team,
    unique,
    async stop() {
      await slipway.stop();
      await kubernetes.stop();
      await directory.remove();
    },
  };
}

function rootFile(): string {
  return 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: root\n  namespace: default\n';
}

function teamActions(
  objects: Objects,
  repository: GiteaRepository,
  namespace: string,
): Omit<Team, 'name' | 'repository'> {
  const one = (name = 'app') => objects.get('kustomizations', namespace, name);
  const explain = async () => {
    const all = [
      ...(await objects.list('gitrepositories', namespace)),
      ...(await objects.list('kustomizations', namespace)),
    ];
    return all.map((item) => `${item.metadata.name} ${JSON.stringify(item.status)}`).join('\n');
  };
  return {
    push: (files) => repository.commit(files),
    async kustomize(name, path, spec = {}) {
      const source = { kind: 'GitRepository', name: 'app' };
      await objects.create(
        'kustomizations',
        kustomization(name, path, { targetNamespace: namespace, sourceRef: source, ...spec }, namespace),
      );
    },
    kustomization: one,
    async ready(name, commit) {
      const wanted = commit ?? (await repository.head());
      return eventually(
        `${name ?? 'app'} is ready at ${wanted}`,
        async () => {
          const found = await one(name);
          return isReadyAt(found, wanted) && found;
        },
        { explain },
      );
    },
    failed: (reason, name, message = /./) =>
      eventually(
        `${name ?? 'app'} fails: ${reason} ${message}`,
        async () => {
          const ready = conditionOf(await one(name));
          const fits = ready?.status === 'False' && ready.reason === reason && message.test(ready.message);
          return fits && ready.message;
        },
        { explain },
      ),
    async configMaps() {
      return (await objects.names('configmaps', namespace)).filter((name) => name !== 'kube-root-ca.crt');
    },
    data: async (name) =>
      (await objects.get<{ data: Record<string, string> }>('configmaps', namespace, name))?.data,
    uid: async (name) => (await objects.get('configmaps', namespace, name))?.metadata.uid,
    async status(commit, state) {
      const states = async () =>
        (await repository.statuses(commit))
          .filter(({ context }) => context === STATUS)
          .map(({ status }) => status);
      await eventually(`status of ${commit} is ${state}`, async () => (await states())[0] === state, {
        explain: async () => `${JSON.stringify(await repository.statusHistory(commit))}\n${await explain()}`,
      });
    },
  };
}
