import { messageOf } from '../lib/core/errors.ts';
import type { Log } from '../lib/log.ts';
import type { OpenFleet } from './open-fleet.ts';

/**
 * Tells at the start which secrets of the fleet file cannot be read and what does not work without them. Nothing is refused for it: they are
 * read anew whenever they are needed, and the other clusters and providers go on.
 */
export async function checkSecrets({ fleet, secret }: OpenFleet, log: Log): Promise<void> {
  const look = async (reference: string, whose: object, without: string): Promise<void> => {
    try {
      await secret(reference);
    } catch (error) {
      log.error({ ...whose, error: messageOf(error) }, without);
    }
  };
  const clusters = fleet.clusters.flatMap(({ name: cluster, kubeconfig }) =>
    kubeconfig === undefined
      ? []
      : [
          look(
            kubeconfig,
            { cluster },
            'nothing is deployed to this cluster until its credential can be read',
          ),
        ],
  );
  const providers = fleet.providers.flatMap(({ name: provider, token, app, webhookSecrets }) => {
    const credential = token ?? app?.privateKey;
    if (webhookSecrets.length === 0) {
      log.warn({ provider }, 'no webhooks are accepted without webhookSecrets: pushes are found by looking');
    }
    return [
      ...(credential === undefined
        ? []
        : [look(credential, { provider }, 'nothing is fetched and no status written until it can be read')]),
      ...webhookSecrets.map((reference) =>
        look(reference, { provider }, 'webhooks that are signed with it are refused until it can be read'),
      ),
    ];
  });
  const registries = fleet.registries.flatMap(({ name: registry, webhookSecrets }) =>
    webhookSecrets.map((reference) =>
      look(reference, { registry }, 'webhooks that are signed with it are refused until it can be read'),
    ),
  );
  await Promise.all([...clusters, ...providers, ...registries]);
}
