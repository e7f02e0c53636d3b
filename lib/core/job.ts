import * as z from 'zod';

/** Why a run happens; recorded with it. */
export const Trigger = z.enum([
  'push',
  'source',
  'dependency',
  'sweep',
  'due',
  'watch',
  'request',
  'health',
  'prune',
  'retry',
]);
export type Trigger = z.infer<typeof Trigger>;

/** Who pushed what; carried along so that the run can name it. */
export const Origin = z.object({
  /** The id of the push (a digest of provider, repository, ref and delivery), or of the request. */
  id: z.string(),
  commit: z.string().optional(),
  author: z.string().optional(),
  committer: z.string().optional(),
  pusher: z.string().optional(),
  pullRequest: z.string().optional(),
  /** The commit's page at its provider. */
  commitUrl: z.string().optional(),
});
export type Origin = z.infer<typeof Origin>;

/** A verified push, to be fanned out to the source objects that watch its repository and ref. */
export const PushJob = z.object({
  type: z.literal('push'),
  /** The provider's name in the fleet file. */
  provider: z.string(),
  /** Every spelling of the repository's clone URL that the payload holds, normalised (`host/path`, lower case, no `.git`). */
  repositories: z.array(z.string()),
  /** `owner/name` (or the nested path), as the provider's API spells it. */
  project: z.string(),
  /** The full ref, such as `refs/heads/main`. */
  ref: z.string(),
  /** The commit that the ref points at now; empty when the ref was deleted. */
  commit: z.string(),
  origin: Origin,
  /** Epoch in ms. */
  receivedAt: z.number(),
});
export type PushJob = z.infer<typeof PushJob>;

/** Reconcile one object in one cluster. It names the object and carries no state: the worker reads what is newest. */
export const ReconcileJob = z.object({
  type: z.literal('reconcile'),
  cluster: z.string(),
  group: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  trigger: Trigger,
  origin: Origin.optional(),
  /** For a source: the commit the push named, which must be what is fetched. */
  commit: z.string().optional(),
  /** When that push came, epoch in ms. */
  pushedAt: z.number().optional(),
  /** For an image: the tag that a registry spoke of. A hint; what the registry answers when asked for that tag counts. */
  tag: z.string().optional(),
  /** Epoch in ms. */
  requestedAt: z.number(),
});
export type ReconcileJob = z.infer<typeof ReconcileJob>;

/**
 * A push to a container registry, to be fanned out to the objects that follow the image. It is a hint: what the tag points at is asked of
 * the registry, so what a payload says of digests is not even carried along.
 */
export const ImageJob = z.object({
  type: z.literal('image'),
  /** The registry's name in the fleet file. */
  registry: z.string(),
  /** Every name that the image may go by, canonical (`host/path`). */
  images: z.array(z.string()),
  tag: z.string(),
  origin: Origin,
  /** Epoch in ms. */
  receivedAt: z.number(),
});
export type ImageJob = z.infer<typeof ImageJob>;

/** A verified call of a Receiver's webhook: its worker finds what is to be reconciled. */
export const HookJob = z.object({
  type: z.literal('hook'),
  cluster: z.string(),
  /** The Receiver. */
  namespace: z.string(),
  name: z.string(),
  /** The type of the Receiver that the call was verified as. */
  receiver: z.string(),
  origin: Origin,
  /** What filters see as `req`; absent where the Receiver has none. */
  request: z.unknown().optional(),
  /** Key of the blob that holds `request` where it is too large for a message. */
  requestBlob: z.string().optional(),
  /** What filters see as `claims`. */
  claims: z.record(z.string(), z.unknown()).optional(),
  /** Epoch in ms. */
  receivedAt: z.number(),
});
export type HookJob = z.infer<typeof HookJob>;

/** Look over one cluster: what is due, what has drifted, what was changed, what is gone. */
export const SweepJob = z.object({ type: z.literal('sweep'), cluster: z.string(), requestedAt: z.number() });
export type SweepJob = z.infer<typeof SweepJob>;

/** Send what the outbox of one destination holds. */
export const NotifyJob = z.object({
  type: z.literal('notify'),
  destination: z.string(),
  requestedAt: z.number(),
});
export type NotifyJob = z.infer<typeof NotifyJob>;

/** Everything that can stand in a queue. */
export const Job = z.discriminatedUnion('type', [
  PushJob,
  ImageJob,
  HookJob,
  ReconcileJob,
  SweepJob,
  NotifyJob,
]);
export type Job = z.infer<typeof Job>;
