import { speaksOf } from '../lib/fleet/speaks-of.ts';
import type { WebhookProvider } from '../lib/receive/receive.ts';
import { receiverOf } from '../lib/receive/registry.ts';
import type { OpenFleet } from './open-fleet.ts';

/** The providers of a fleet file whose webhooks are taken, by name. */
export function webhookProviders({ fleet, secret }: OpenFleet): Record<string, WebhookProvider> {
  const providers = fleet.providers.flatMap((provider): [string, WebhookProvider][] => {
    const receiver = receiverOf(provider.type);
    if (!receiver) return [];
    const secrets = () => Promise.all(provider.webhookSecrets.map(secret));
    const accepts = (repository: string) => speaksOf(provider, repository, fleet.providers);
    return [[provider.name, { type: receiver, secrets, accepts }]];
  });
  return Object.fromEntries(providers);
}
