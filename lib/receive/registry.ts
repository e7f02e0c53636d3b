import { bitbucket } from './bitbucket.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import type { ReceiverType } from './receiver.ts';

/** The receiver types, by the last part of their path: `/webhooks/<type>`. */
export const receivers = { bitbucket, gitea, github, gitlab } satisfies Record<string, ReceiverType>;

/** A type of {@link receivers}. */
export type ReceiverName = keyof typeof receivers;

/** The receiver that serves a provider type of the fleet file; both kinds of Bitbucket share one. */
export function receiverOf(providerType: string): ReceiverName | undefined {
  const name = providerType === 'bitbucket-server' ? 'bitbucket' : providerType;
  return Object.hasOwn(receivers, name) ? (name as ReceiverName) : undefined;
}
