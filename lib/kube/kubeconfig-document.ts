/** The `cluster` of a kubeconfig; every value is unchecked. */
export type ClusterInfo = Record<string, unknown>;

/** The `user` of a kubeconfig; every value is unchecked. */
export type AuthInfo = Record<string, unknown>;

/** A kubeconfig as it is parsed; every value is unchecked. */
export interface Kubeconfig {
  'current-context'?: unknown;
  clusters?: unknown;
  users?: unknown;
  contexts?: unknown;
}

/** A kubeconfig cannot be used. The message names the cluster, the field and what to do, and quotes no value. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
  readonly cluster: string;

  constructor(cluster: string, what: string) {
    super(`kubeconfig of cluster ${cluster}: ${what}`);
    this.cluster = cluster;
  }
}

/**
 * The cluster and the user of one context.
 * @throws KubeconfigError when the context or what it names is missing
 */
export function pick(
  config: Kubeconfig,
  options: { name: string; context?: string },
): { cluster: ClusterInfo; user: AuthInfo } {
  const { name } = options;
  const current = options.context ?? config['current-context'];
  if (typeof current !== 'string' || current === '') {
    throw new KubeconfigError(name, 'there is no current-context; name a context for this cluster');
  }
  const context = named(config.contexts, current, 'context');
  if (context === undefined)
    throw new KubeconfigError(name, `there is no context ${JSON.stringify(current)}`);
  const cluster = named(config.clusters, context.cluster, 'cluster');
  if (cluster === undefined) {
    throw new KubeconfigError(name, `the cluster of context ${JSON.stringify(current)} is missing`);
  }
  const user = named(config.users, context.user, 'user');
  if (user === undefined) {
    throw new KubeconfigError(name, `the user of context ${JSON.stringify(current)} is missing`);
  }
  return { cluster, user };
}

function named(list: unknown, name: unknown, field: string): Record<string, unknown> | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry: unknown = list.find((candidate: unknown) => isRecord(candidate) && candidate.name === name);
  const value = isRecord(entry) ? entry[field] : undefined;
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
