import { messageOf } from '../lib/core/errors.ts';
import type { Log } from '../lib/log.ts';
import type { OpenFleet } from './open-fleet.ts';

/**
 * Tells at the start which secrets of the fleet file cannot be read, which clusters cannot be looked up in their cloud, and what does not work
 * without them. Nothing is refused for it: they are read anew whenever they are needed, and the other clusters and providers go on.
 * @param lookUp opens a cluster, so that it is looked up. Default: none is
 */
export async function checkSecrets(
  { fleet, secret }: OpenFleet,
  log: Log,
  lookUp: (cluster: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const look = async (reference: string, whose: object, without: string): Promise<void> => {
    try {
      await secret(reference);
    } catch (error) {
      log.error({ ...whose, error: messageOf(error) }, without);
    }
  };
  const clusters = fleet.clusters.map(async ({ name: cluster, kubeconfig }) => {
    const without = 'nothing is deployed to this cluster until its credential can be read';
    if (kubeconfig !== undefined) return look(kubeconfig, { cluster }, without);
    // Who asks a cloud may wait for long, and webhooks must not wait for that.
    void lookUp(cluster).catch((error: unknown) =>
      log.error(
        { cluster, error: messageOf(error) },
        'nothing is deployed to this cluster until it can be looked up',
      ),
    );
  });
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
