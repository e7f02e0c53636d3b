/**
 * Rows that belong to one cluster, by the first word of their partition. The role of a cluster's worker may touch these alone, and of
 * these only its own; `infra/cluster/serverless.yml` repeats the list, and a test holds both together.
 */
export const CLUSTER_KINDS = {
  index: [
    'applied',
    'applied-head',
    'approval',
    'due',
    'failures',
    'health',
    'image-results',
    'image-tags',
    'image-tags-of',
    'inputs',
    'late-writes',
    'leases',
    'outbox',
    'outbox-pending',
    'own-push',
    'receivers-of-cluster',
    'rollout',
    'rollout-guests',
    'rollout-members',
    'rollout-pending',
    'rollout-unfinished',
    'rollouts-of-commit',
    'source-sent',
    'sources',
    'subscriptions',
    'sweep-sent',
    'swept',
    'tries',
    'unreachable',
    'waiting',
  ],
  runs: ['run', 'run-changes', 'runs'],
} as const;

/** The first word of a partition that belongs to a cluster. */
export type ClusterKind = (typeof CLUSTER_KINDS)[keyof typeof CLUSTER_KINDS][number];

/**
 * Partitions that the workers of all clusters share, since automations of several clusters may write to one branch: what they have written
 * there, what somebody has taken back, and whose turn it is. Rows are named by digests of repositories and branches and hold no secrets.
 * `infra/cluster/role.yml` repeats the list.
 */
export const SHARED_PARTITIONS = ['image-memory', 'image-pushes', 'leases#image-writes'] as const;

/** One of them. */
export type SharedPartition = (typeof SHARED_PARTITIONS)[number];

/** A partition of one cluster: `<kind>#<cluster>`, with more words behind where a kind has many partitions in a cluster. */
export function clusterPartition(kind: ClusterKind, cluster: string, ...more: string[]): string {
  return [kind, cluster, ...more].join('#');
}
