import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../core/object.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';

/** A rule of a ClusterRole. */
export interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

/** Which service account to make. */
export interface AccessOptions {
  namespace: string;
  name: string;
  /** What it may do. Default: everything (`cluster-admin`), as Flux's controllers may. */
  rules?: PolicyRule[];
  /** Default: a timer. */
  sleep?: (ms: number) => Promise<void>;
}

/** The credential of a service account and what it may do. */
export interface Access {
  token: string;
  /** PEM of the cluster's own authority; an address in front of the cluster may have another. */
  caData: string;
  /** One line a right, for people. */
  rights: string[];
}

const POLL_MS = 250;
/** The token controller needs well under a second; 30 s allow for a busy one. */
const ATTEMPTS = 120;

/**
 * Makes a service account that Slipway works as: namespace, account, its rights, and a token that does not expire. Running it
 * again changes nothing and returns the same token; deleting the Secret and running it again rotates the token.
 * @throws KubeError when the caller may not do that, or the cluster issues no token within 30 s
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#manual-secret-management-for-serviceaccounts
 */
export async function createServiceAccountAccess(
  client: KubeClient,
  options: AccessOptions,
): Promise<Access> {
  const { namespace, name } = options;
  const sleep = options.sleep ?? delay;
  for (const object of objectsOf(options)) {
    await client.apply(object, { fieldManager: 'slipway', force: true });
  }
  const ref = { group: '', version: 'v1', kind: 'Secret', namespace, name: tokenSecret(name) };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const secret = await client.get<KubernetesObject & { data?: Record<string, string> }>(ref);
    const token = decoded(secret?.data?.token);
    const caData = decoded(secret?.data?.['ca.crt']);
    if (token !== '' && caData !== '') return { token, caData, rights: rightsOf(options.rules) };
    await sleep(POLL_MS);
  }
  throw new KubeError(
    0,
    `Secret/${namespace}/${tokenSecret(name)} got no token within 30 s; is the cluster's kube-controller-manager, which issues it, running?`,
  );
}

/**
 * The text of a kubeconfig with one context.
 * @param access.caData PEM
 */
export function kubeconfigFor(access: {
  name: string;
  server: string;
  caData?: string;
  /** The name that the server's certificate carries, when it is not the host of `server`. */
  tlsServerName?: string;
  token: string;
}): string {
  const { name, server, caData, tlsServerName, token } = access;
  const authority =
    caData === undefined ? {} : { 'certificate-authority-data': Buffer.from(caData).toString('base64') };
  const verified = tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, ...authority, ...verified } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  // JSON is YAML, and needs no quoting rules of its own.
  return `${JSON.stringify(config, null, 2)}\n`;
}

function objectsOf({ namespace, name, rules }: AccessOptions): KubernetesObject[] {
  const rbac = 'rbac.authorization.k8s.io';
  // Cluster-wide names carry the namespace, so that two installations do not share one.
  const wide = `slipway:${namespace}:${name}`;
  const labels = { 'app.kubernetes.io/managed-by': 'slipway' };
  const roleName = rules === undefined ? 'cluster-admin' : wide;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } },
    ...(rules === undefined
      ? []
      : [{ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: wide, labels }, rules }]),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: wide, labels },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: roleName },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: {
        name: tokenSecret(name),
        namespace,
        labels,
        annotations: { 'kubernetes.io/service-account.name': name },
      },
    },
  ];
}

function tokenSecret(name: string): string {
  return `${name}-token`;
}

function rightsOf(rules: PolicyRule[] | undefined): string[] {
  if (rules === undefined) return ['everything in the whole cluster (ClusterRole cluster-admin)'];
  return rules.map(({ apiGroups = [], resources = [], nonResourceURLs = [], verbs }) => {
    const groups = apiGroups.map((group) => (group === '' ? 'core' : group)).join(', ');
    const what = [...resources, ...nonResourceURLs].join(', ');
    return `${verbs.join(', ')}: ${what}${groups === '' ? '' : ` (${groups})`}`;
  });
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}
