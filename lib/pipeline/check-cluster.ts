import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import { normaliseRepository } from '../core/repository.ts';
import type { KubeClient } from '../kube/client.ts';
import { rootObjects } from '../toolkit/bootstrap.ts';
import { compareCrd } from '../toolkit/compatibility.ts';
import { customResourceDefinitions } from '../toolkit/crd.ts';
import { kinds } from '../toolkit/registry.ts';
import { clusterHolder, runningFlux } from './cluster-writer.ts';
import type { ClusterConnection, Context } from './context.ts';
import type { WithStatus } from './status.ts';

/** What a look at a cluster found. */
export interface ClusterCheck {
  cluster: string;
  /** The server's version; undefined when it was not reached. */
  version?: string;
  /** As whom the credential acts. */
  user?: string;
  /** In words, in the order they were looked at. */
  facts: string[];
  /** What keeps Slipway from working there, with what to do. */
  problems: string[];
}

/** A right that Slipway needs, as the API server knows it. */
interface Right {
  verb: string;
  group: string;
  resource: string;
  namespace?: string;
  subresource?: string;
}

/** What no installation can do without; the rights on applied objects are those of their owners. */
const RIGHTS: readonly Right[] = [
  ...kinds.flatMap(({ group, plural: resource }) => [
    ...['get', 'list', 'watch', 'patch'].map((verb) => ({ verb, group, resource })),
    { verb: 'update', group, resource, subresource: 'status' },
  ]),
  ...['get', 'create', 'update'].map((verb) => ({
    verb,
    group: 'coordination.k8s.io',
    resource: 'leases',
    namespace: 'flux-system',
  })),
  { verb: 'list', group: 'coordination.k8s.io', resource: 'leases' },
  ...['get', 'patch'].map((verb) => ({
    verb,
    group: 'apiextensions.k8s.io',
    resource: 'customresourcedefinitions',
  })),
  { verb: 'get', group: '', resource: 'secrets', namespace: 'flux-system' },
  { verb: 'create', group: '', resource: 'events' },
];

/**
 * Looks whether Slipway can work in a cluster: reach, rights, definitions, other writers, root objects. Writes nothing. Never throws for
 * what is wrong with the cluster: that is what it is asked for.
 */
export async function checkCluster(
  ctx: Pick<Context, 'now'>,
  cluster: ClusterConnection,
): Promise<ClusterCheck> {
  const check: ClusterCheck = { cluster: cluster.config.name, facts: [], problems: [] };
  const { client } = cluster;
  try {
    check.version = (await client.raw<{ gitVersion: string }>('/version')).gitVersion;
    const user = await whoAmI(client);
    if (user !== undefined) check.user = user;
  } catch (error) {
    check.problems.push(`cannot be reached: ${messageOf(error)}`);
    return check;
  }
  for (const look of [checkRights, checkDefinitions, checkWriters, checkRoots]) {
    try {
      await look(ctx, cluster, check);
    } catch (error) {
      check.problems.push(messageOf(error));
    }
  }
  return check;
}

/** The user that a credential belongs to; undefined where the server cannot tell (before Kubernetes 1.28). */
export async function whoAmI(client: KubeClient): Promise<string | undefined> {
  const gvk = { group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview' };
  if (!(await client.resource(gvk))) return undefined;
  const review = await client.create<KubernetesObject & { status?: { userInfo?: { username?: string } } }>({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { name: '' },
  });
  return review.status?.userInfo?.username;
}

type Look = (ctx: Pick<Context, 'now'>, cluster: ClusterConnection, check: ClusterCheck) => Promise<void>;

const checkRights: Look = async (_ctx, { client, config }, { facts, problems }) => {
  if (await may(client, { verb: '*', group: '*', resource: '*' })) {
    facts.push('may do everything');
    return;
  }
  const account = config.defaultServiceAccount;
  const needed =
    account === undefined ? RIGHTS : [...RIGHTS, { verb: 'impersonate', group: '', resource: 'users' }];
  const answers = await Promise.all(needed.map(async (right) => ((await may(client, right)) ? [] : [right])));
  const missing = answers.flat().map(rightText);
  if (missing.length > 0)
    problems.push(
      `may not: ${missing.join(', ')}; give it these rights, or run "slipway cluster add" with a kubeconfig that may`,
    );
  else facts.push('has the rights that Slipway itself needs, but not all rights');
};

async function may(client: KubeClient, right: Right): Promise<boolean> {
  const review = await client.create<KubernetesObject & { status?: { allowed?: boolean } }>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: { resourceAttributes: right },
  });
  return review.status?.allowed === true;
}

function rightText({ verb, group, resource, namespace, subresource }: Right): string {
  const what = `${resource}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${what}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

const checkDefinitions: Look = async (_ctx, { client }, { facts, problems }) => {
  for (const definition of customResourceDefinitions()) {
    const { name } = definition.metadata;
    const live = await client.get<KubernetesObject>(refOf(definition));
    const compatibility = live && compareCrd(live);
    if (!compatibility) facts.push(`${name} is not installed yet; "slipway serve" installs it`);
    else if (!compatibility.served)
      problems.push(
        `${name} is too old: it does not serve v1; upgrade it: slipway crds | kubectl apply --server-side --force-conflicts -f -`,
      );
    else if (compatibility.missing.length > 0)
      facts.push(
        `${name} is older and does not know ${compatibility.missing.join(', ')}; objects that set these are refused`,
      );
    else facts.push(`${name} is up to date`);
  }
};

const checkWriters: Look = async (ctx, cluster, { facts, problems }) => {
  const flux = await runningFlux(ctx, cluster);
  const { name } = cluster.config;
  if (flux.length > 0)
    problems.push(
      `Flux is running (${flux.join(', ')}), so Slipway writes nothing; run "slipway adopt ${name}" to take over`,
    );
  else facts.push('Flux is not running');
  const holder = await clusterHolder(ctx, cluster);
  if (!holder?.holder) facts.push('no Slipway is at work');
  else {
    const renewed = Number.isNaN(holder.renewedAt)
      ? ''
      : `, last seen ${new Date(holder.renewedAt).toISOString()}`;
    facts.push(`Slipway ${holder.holder} ${holder.fresh ? 'is at work' : 'was at work'}${renewed}`);
  }
};

const checkRoots: Look = async (_ctx, { client, config }, { facts }) => {
  for (const root of rootObjects(config).slice(1)) {
    const live = await client.get<WithStatus>(refOf(root));
    const name = describe(refOf(root));
    const ready = getCondition(live?.status?.conditions as Condition[] | undefined, 'Ready');
    if (!live) facts.push(`${name} does not exist yet; "slipway serve" creates it`);
    else if (!ready) facts.push(`${name} exists and has not been reconciled yet`);
    else facts.push(`${name} is ${ready.status === 'True' ? 'ready' : 'not ready'}: ${ready.message}`);
    const url = (live?.spec as { url?: unknown } | undefined)?.url;
    if (typeof url === 'string' && normaliseRepository(url) !== normaliseRepository(config.source.url))
      facts.push(`${name} follows ${url}; slipway.yaml says ${config.source.url}, which will hold`);
  }
};
