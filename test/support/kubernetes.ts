/**
 * A real Kubernetes control plane for tests: etcd, kube-apiserver and, if wanted, kube-controller-manager, on free
 * ports of 127.0.0.1. No nodes: Pods are never run, so Deployments do not become ready by themselves.
 *
 *     const cluster = await startKubernetes({ controllerManager: true });
 *     // cluster.server, cluster.caData (PEM), cluster.token: what createKubeClient and fetch need
 *     // cluster.kubeconfig: text for a file
 *     await cluster.stop();
 *
 * Most tests want `freshNamespace()` of `cluster.ts` instead, which shares one control plane.
 * The servers never outlive the process that started them, even when it is killed.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubernetesLocation } from '../../infra/testservers/location.ts';
import { kubeRequest } from './kube-request.ts';
import { freePorts } from './ports.ts';
import { type Server, startServer, waitUntilReady } from './process.ts';

/** How to reach a cluster as its administrator. */
export interface KubernetesConnection {
  /** URL, e.g. `https://127.0.0.1:23456`. */
  server: string;
  /** Certificates of the authority, PEM. */
  caData: string;
  /** Bearer token of a member of `system:masters`. */
  token: string;
}

export interface Kubernetes extends KubernetesConnection {
  /** The same as a kubeconfig file's text. */
  kubeconfig: string;
  connection: KubernetesConnection;
  /** Folder of its logs and data; deleted by `stop`. */
  directory: string;
  /** The running programs: etcd, kube-apiserver, kube-controller-manager. */
  servers: Server[];
  /** Ends everything and deletes its data. */
  stop(): Promise<void>;
}

export interface KubernetesOptions {
  /** Also run kube-controller-manager (namespace deletion, garbage collection, ReplicaSets, ...). Default: false. */
  controllerManager?: boolean;
  /** More arguments for kube-apiserver. */
  apiServerArgs?: string[];
  /** Who issues the tokens of its service accounts. Default: the name that Kubernetes gives itself. */
  issuer?: string;
  /** Name of the cluster in the kubeconfig. Default: `test`. */
  name?: string;
}

/** The issuer of a control plane that is not given another one. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Starts a control plane and waits until it is ready (3 to 5 s). */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const { binary } = kubernetesLocation();
  if (!existsSync(binary)) {
    throw new Error(`No Kubernetes control plane at ${binary}. Build it with: npm run build:testservers`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'slipway-kubernetes-'));
  const servers: Server[] = [];

  async function stop(): Promise<void> {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  function start(program: string, args: string[]): Promise<Server> {
    return startServer({
      name: program,
      command: binary,
      args: [program, ...args],
      logFile: join(directory, `${program}.log`),
      cwd: directory,
      scratch: directory,
    }).then((server) => {
      servers.push(server);
      return server;
    });
  }

  try {
    const [clientPort, peerPort, apiPort] = (await freePorts(3)) as [number, number, number];
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const token = randomBytes(24).toString('hex');
    const certificates = join(directory, 'certificates');
    const keyFile = join(directory, 'service-account.key');
    const tokenFile = join(directory, 'tokens.csv');
    await mkdir(certificates);
    await writeFile(keyFile, serviceAccountKey(), { mode: 0o600 });
    await writeFile(tokenFile, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });

    await start('etcd', [
      '--name=test',
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ]);
    // Started at once: it waits for etcd by itself.
    const apiServer = await start('kube-apiserver', [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${apiPort}`,
      `--cert-dir=${certificates}`,
      `--token-auth-file=${tokenFile}`,
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
      `--service-account-issuer=${options.issuer ?? ISSUER}`,
      `--service-account-key-file=${keyFile}`,
      `--service-account-signing-key-file=${keyFile}`,
      '--service-cluster-ip-range=10.0.0.0/16',
      '--allow-privileged=true',
      ...(options.apiServerArgs ?? []),
    ]);

    const server = `https://127.0.0.1:${apiPort}`;
    const caFile = join(certificates, 'apiserver.crt');
    let caData = '';
    await waitUntilReady(apiServer, async () => {
      if (!existsSync(caFile)) return false;
      caData = readFileSync(caFile, 'utf8');
      const connection = { server, caData, token };
      return (
        (await kubeRequest(connection, 'GET', '/readyz')).status === 200 &&
        (await kubeRequest(connection, 'GET', '/api/v1/namespaces/default')).status === 200
      );
    });
    const kubeconfig = kubeconfigFor(options.name ?? 'test', { server, caData, token });

    if (options.controllerManager) {
      const kubeconfigFile = join(directory, 'kubeconfig');
      await writeFile(kubeconfigFile, kubeconfig, { mode: 0o600 });
      await start('kube-controller-manager', [
        `--kubeconfig=${kubeconfigFile}`,
        '--leader-elect=false',
        '--secure-port=0',
        `--service-account-private-key-file=${keyFile}`,
        `--root-ca-file=${caFile}`,
        '--use-service-account-credentials=false',
        '--controllers=*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle,-service-lb-controller,-node-route-controller',
      ]);
    }
    const connection = { server, caData, token };
    return { ...connection, connection, kubeconfig, directory, servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Text of a kubeconfig with one context for this connection. JSON, which is YAML. */
export function kubeconfigFor(name: string, connection: KubernetesConnection): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server: connection.server,
          'certificate-authority-data': Buffer.from(connection.caData).toString('base64'),
        },
      },
    ],
    users: [{ name, user: { token: connection.token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function serviceAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}
