/** A request as it came in: nothing of it is trusted before `verify`. */
export interface Delivery {
  headers: Headers;
  /** The raw bytes of the body. */
  body: Uint8Array;
}

/** One ref that a push moved. */
export interface Push {
  /** Every spelling of the clone URL that the payload holds, normalised and without repeats. Never empty. */
  repositories: string[];
  /** `owner/name` (or the nested path), as the provider's API spells it. */
  project: string;
  /** The full ref, such as `refs/heads/main`. */
  ref: string;
  /** The commit the ref points at now; empty when it was deleted. For an annotated tag, the commit it points at. */
  commit: string;
  created: boolean;
  deleted: boolean;
  /** `Name <email>`, or whichever of both is known. */
  author?: string;
  committer?: string;
  /** The account that pushed. */
  pusher?: string;
  /** The commit's page at the provider: an http(s) URL. */
  commitUrl?: string;
  /** The number of the pull request that the commit merged, read from its message. */
  pullRequest?: string;
}

/** A pull request that was opened, changed, merged or closed. */
export interface PullRequestEvent {
  action: 'opened' | 'updated' | 'merged' | 'closed';
  number: string;
  title: string;
  author: string;
  url: string;
  /** The repository it wants to go into. */
  repositories: string[];
  project: string;
  base: { ref: string; commit: string };
  /** `project` differs from the one above for a fork; empty when the fork is gone. */
  head: { ref: string; commit: string; project: string };
}

/** What a delivery says. One delivery of Bitbucket can hold several pushes. */
export type Received =
  | { kind: 'push'; pushes: Push[] }
  | { kind: 'pull-request'; pullRequest: PullRequestEvent }
  | { kind: 'ping' }
  | { kind: 'ignored'; why: string };

/**
 * A provider's way of sending webhooks. One file a type plus a line in `registry.ts`; all pass `test/contract/receiver.ts`.
 */
export interface ReceiverType {
  /** What the headers hold to prove the sender; null or empty when there is nothing, and then `verify` is false whatever the body. */
  proof(headers: Headers): string | null;
  /**
   * Whether the request was sent by somebody who holds one of the secrets. False for anything odd; never throws. Empty secrets
   * count as none.
   */
  verify(delivery: Delivery, secrets: readonly string[]): Promise<boolean>;
  /** The event's name as the provider spells it; empty when the header is missing. */
  event(headers: Headers): string;
  /** The provider's id of this delivery, the same when it is delivered again; undefined when there is none. */
  deliveryId(headers: Headers): string | undefined;
  /**
   * Reads a verified payload.
   * @throws PayloadError when it is not what the provider documents
   */
  parse(event: string, payload: unknown): Received;
}
