import type { PushJob } from '../core/job.ts';
import { decodePayload } from './decode.ts';
import { hexDigest, identify } from './identify.ts';
import type { Delivery, PullRequestEvent, Push } from './receiver.ts';
import { type ReceiverName, receivers } from './registry.ts';

/** A provider of the fleet file as far as its webhooks matter. */
export interface WebhookProvider {
  type: ReceiverName;
  /** The secrets that are valid now; two while they are being rotated. Without any, nothing is accepted. */
  secrets(): Promise<readonly string[]>;
  /**
   * Whether this provider may speak of a repository (normalised): one tenant's secret must not move another's. All when absent.
   */
  accepts?(repository: string): boolean;
}

/** What a request turned out to be. */
export type Reception =
  | { kind: 'unauthorized' }
  | { kind: 'forbidden' }
  | { kind: 'ping' }
  | { kind: 'ignored'; why: string }
  | { kind: 'push'; provider: string; deliveryId: string; jobs: PushJob[] }
  | { kind: 'pull-request'; provider: string; deliveryId: string; pullRequest: PullRequestEvent };

/**
 * Finds the provider whose secret signed a delivery and reads what it says.
 * @param type the receiver type of the path
 * @param candidates the providers that may have sent it, by name
 * @param now epoch in ms
 * @throws PayloadError when it is signed but cannot be read; the error of reading a secret when no other provider's fits
 */
export async function receive(
  type: ReceiverName,
  candidates: ReadonlyMap<string, WebhookProvider>,
  delivery: Delivery,
  now: number,
): Promise<Reception> {
  const receiver = receivers[type];
  const signers: [name: string, provider: WebhookProvider][] = [];
  let unreadable: unknown;
  for (const [name, provider] of candidates) {
    try {
      if (await receiver.verify(delivery, await provider.secrets())) signers.push([name, provider]);
    } catch (error) {
      // One provider's missing secret must not close the door to the others.
      unreadable = error;
    }
  }
  if (signers.length === 0 && unreadable !== undefined) throw unreadable;
  if (signers.length === 0) return { kind: 'unauthorized' };

  const payload = decodePayload(delivery.body, delivery.headers.get('content-type'));
  const received = receiver.parse(receiver.event(delivery.headers), payload);
  if (received.kind === 'ping' || received.kind === 'ignored') return received;

  const named = received.kind === 'push' ? received.pushes : [received.pullRequest];
  const signer = signers.find(([, provider]) =>
    named.every(({ repositories }) =>
      repositories.some((repository) => provider.accepts?.(repository) ?? true),
    ),
  );
  if (!signer) return { kind: 'forbidden' };
  const [name, provider] = signer;
  const deliveryId = await identify(receiver.deliveryId(delivery.headers), delivery.body);
  const accepted = (repositories: string[]) =>
    repositories.filter((repository) => provider.accepts?.(repository) ?? true);
  if (received.kind === 'pull-request') {
    const { pullRequest } = received;
    const repositories = accepted(pullRequest.repositories);
    return {
      kind: 'pull-request',
      provider: name,
      deliveryId,
      pullRequest: { ...pullRequest, repositories },
    };
  }
  const jobs = await Promise.all(
    received.pushes.map((push) =>
      toJob(name, { ...push, repositories: accepted(push.repositories) }, deliveryId, now),
    ),
  );
  return { kind: 'push', provider: name, deliveryId, jobs };
}

async function toJob(provider: string, push: Push, deliveryId: string, now: number): Promise<PushJob> {
  const { author, committer, pusher, pullRequest, commitUrl } = push;
  const id = await hexDigest([provider, push.project, push.ref, push.commit, deliveryId].join('\n'));
  return {
    type: 'push',
    provider,
    repositories: push.repositories,
    project: push.project,
    ref: push.ref,
    commit: push.commit,
    origin: {
      id: id.slice(0, 32),
      ...(push.commit === '' ? {} : { commit: push.commit }),
      ...(author === undefined ? {} : { author }),
      ...(committer === undefined ? {} : { committer }),
      ...(pusher === undefined ? {} : { pusher }),
      ...(pullRequest === undefined ? {} : { pullRequest }),
      ...(commitUrl === undefined ? {} : { commitUrl }),
    },
    receivedAt: now,
  };
}
