import { readFileSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { addCluster } from '../../lib/fleet/add-cluster.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { clusterOf } from '../../lib/fleet/fleet.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { createServiceAccountAccess, kubeconfigFor } from '../../lib/kube/access.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { createClusterNetwork } from '../../lib/kube/cluster-network.ts';
import type { KubeConnection } from '../../lib/kube/connection.ts';
import { loadKubeconfig } from '../../lib/kube/kubeconfig.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import { whoAmI } from '../../lib/pipeline/check-cluster.ts';
import { ROOT_NAME, ROOT_NAMESPACE } from '../../lib/toolkit/bootstrap.ts';
import type { GlobalOptions } from './global-options.ts';

interface AddOptions extends GlobalOptions {
  kubeconfig?: string;
  name?: string;
  repository?: string;
  branch?: string;
  path?: string;
  insecure?: boolean;
}

/** `slipway cluster add`. */
export function addClusterAdd(group: Command): void {
  group
    .command('add <context>')
    .description('make a service account for Slipway in a cluster and add the cluster to the fleet file')
    .option('--kubeconfig <file>', 'your own kubeconfig; $KUBECONFIG or ~/.kube/config by default')
    .option('--name <name>', 'what the cluster is called; the context by default')
    .option('--repository <url>', 'URL of the fleet repository')
    .option('--branch <branch>', 'its branch')
    .option('--path <directory>', 'directory of the cluster in the repository')
    .option('--insecure', 'use your kubeconfig although it does not check the certificate of the server')
    .addHelpText(
      'after',
      `
Your own kubeconfig is used once, with whatever it runs or reads. In the cluster it makes the namespace ${ROOT_NAMESPACE}, the
service account slipway with the rights that are printed, and a token for it, which is written beside the fleet file
for its owner alone. Where Flux has been at work, repository, branch and directory are taken from it. Running it again for
a cluster of the fleet file writes its credential anew and changes nothing else.`,
    )
    .action(async (context: string, _options, command: Command) =>
      add(context, command.optsWithGlobals<AddOptions>()),
    );
}

async function add(context: string, options: AddOptions): Promise<void> {
  const file = resolve(options.config);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const fleet = loadFleet(text, { path: file });
  const name = options.name ?? nameOf(context);
  const target = join(dirname(file), `${name}.kubeconfig`);
  await checkTarget(fleet, name, target);
  const connection = await ownConnection(context, options);
  const network = createClusterNetwork({ loopback: true });
  const client = createKubeClient(connection, { network });
  try {
    // Everything that may be wrong is known before anything is made in the cluster.
    const known = clusterOf(fleet, name);
    const entry = known ? undefined : await entryOf(client, fleet, name, options);
    const changed = entry ? addCluster(text, entry, { path: file }) : undefined;
    const access = await createServiceAccountAccess(client, { namespace: ROOT_NAMESPACE, name: 'slipway' });
    // Where the operator's own kubeconfig trusts anybody, the cluster says whom to trust.
    const caData = connection.caData ?? (options.insecure ? access.caData : undefined);
    const kubeconfig = kubeconfigFor({
      name,
      server: connection.server,
      ...(caData === undefined ? {} : { caData }),
      ...(connection.tlsServerName === undefined ? {} : { tlsServerName: connection.tlsServerName }),
      token: access.token,
    });
    const user = await tryCredential(kubeconfig, name);
    await replaceFile(target, kubeconfig, 0o600);
    if (changed !== undefined) await replaceFile(file, changed);
    const says = (line: string) => process.stdout.write(`${line}\n`);
    says(`${name}: ${user ?? 'the service account slipway'} may do:`);
    for (const right of access.rights) says(`  ${right}`);
    says(`credential in ${target} (for its owner alone)`);
    if (entry)
      says(
        `added to ${file}: ${entry.source.url}, ${entry.source.branch ?? 'main'}, ${entry.source.path ?? './'}`,
      );
    else says(`${name} stands in ${file} already; nothing else was changed`);
    says(`next: slipway cluster check ${name}`);
  } finally {
    await client.close();
  }
}

/** A file that is not this cluster's credential must not be overwritten. */
async function checkTarget(fleet: Fleet, name: string, target: string): Promise<void> {
  const known = clusterOf(fleet, name);
  if (known) {
    const [scheme, path = ''] = (known.kubeconfig ?? '').split(/:(.*)/s);
    if (scheme === 'file' && resolve(fleet.baseDirectory, path) === target) return;
    throw new Error(
      `${name} is in ${fleet.path} already, ${known.kubeconfig === undefined ? 'reached without a kubeconfig' : `with its credential in ${known.kubeconfig}`}; choose another --name`,
    );
  }
  if (await stat(target).catch(() => undefined))
    throw new Error(
      `${target} exists and belongs to no cluster of ${fleet.path}; move it away or choose another --name`,
    );
}

async function ownConnection(context: string, options: AddOptions): Promise<KubeConnection> {
  const variable = process.env.KUBECONFIG?.split(delimiter).filter(Boolean);
  const files = options.kubeconfig
    ? [options.kubeconfig]
    : (variable ?? [join(homedir(), '.kube', 'config')]);
  const faults: unknown[] = [];
  for (const file of files) {
    const directory = dirname(resolve(file));
    try {
      return loadKubeconfig(await readFile(file, 'utf8'), {
        name: context,
        context,
        allowExec: true,
        allowFiles: true,
        allowInsecure: options.insecure === true,
        // As kubectl does: relative to the file that names them.
        readFile: (path) => readFileSync(resolve(directory, path), 'utf8'),
        execEnvironment: Object.fromEntries(
          Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
        ),
      });
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const text = `there is no kubeconfig ${file}; name yours with --kubeconfig or $KUBECONFIG`;
      faults.push(missing ? new Error(text) : error);
    }
  }
  throw faults[0] ?? new Error('$KUBECONFIG names no file; give one with --kubeconfig');
}

type Entry = Parameters<typeof addCluster>[1];

async function entryOf(client: KubeClient, fleet: Fleet, name: string, options: AddOptions): Promise<Entry> {
  const flux = options.repository === undefined ? await rootsOf(client) : undefined;
  const urls = new Set(fleet.clusters.map(({ source }) => source.url));
  const url = options.repository ?? flux?.url ?? (urls.size === 1 ? [...urls][0] : undefined);
  if (url === undefined)
    throw new Error('which repository is deployed to this cluster? Give it with --repository <url>');
  const branch = options.branch ?? flux?.branch;
  const path = options.path ?? flux?.path ?? `./clusters/${name}`;
  return {
    name,
    kubeconfig: `file:./${name}.kubeconfig`,
    source: { url, ...(branch === undefined ? {} : { branch }), path },
  };
}

/** What Flux (or Slipway, earlier) follows in a cluster. */
async function rootsOf(client: KubeClient): Promise<{ url?: string; branch?: string; path?: string }> {
  const place = { version: 'v1', namespace: ROOT_NAMESPACE, name: ROOT_NAME };
  const [source, root] = await Promise.all([
    client.get<KubernetesObject>({ ...place, group: 'source.toolkit.fluxcd.io', kind: 'GitRepository' }),
    client.get<KubernetesObject>({ ...place, group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' }),
  ]);
  if (!source || !root) return {};
  const { url, ref } = source.spec as { url: string; ref?: { branch?: string } };
  const { path } = root.spec as { path?: string };
  return {
    url,
    ...(ref?.branch === undefined ? {} : { branch: ref.branch }),
    ...(path === undefined ? {} : { path }),
  };
}

/** Nothing is written down that does not work. */
async function tryCredential(kubeconfig: string, name: string): Promise<string | undefined> {
  const client = createKubeClient(loadKubeconfig(kubeconfig, { name }), {
    network: createClusterNetwork({ loopback: true }),
  });
  try {
    return await whoAmI(client);
  } finally {
    await client.close();
  }
}

/** Writes a file as a whole or not at all. @param mode of a new file; an existing one keeps its own */
async function replaceFile(path: string, text: string, mode?: number): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  const temporary = `${path}.new`;
  // One that was left behind may be open to others.
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { flag: 'wx', mode: mode ?? (present?.mode ?? 0o644) & 0o777 });
  await rename(temporary, path);
}

/** A context may be called anything, such as `arn:aws:eks:eu-central-1:1234:cluster/staging`. */
function nameOf(context: string): string {
  const last = context.split(/[/:@]/).at(-1) ?? '';
  return last
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
