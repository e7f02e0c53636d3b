import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import type { SecretData } from '../source/source.ts';

/**
 * Reads a Secret and decodes its data.
 * @param usedBy what names it, for the error
 * @param reason the condition reason when it is missing
 * @throws ReconcileError (retry) naming the Secret when it does not exist
 */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
  usedBy: string,
  reason: string,
): Promise<SecretData> {
  const secret = await client.get<KubernetesObject & { data?: Record<string, string> }>({
    group: '',
    version: 'v1',
    kind: 'Secret',
    namespace,
    name,
  });
  if (!secret) {
    throw new ReconcileError(
      reason,
      `Secret/${namespace}/${name}, which ${usedBy} names, does not exist; create it`,
      {
        outcome: 'retry',
      },
    );
  }
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      new Uint8Array(Buffer.from(value, 'base64')),
    ]),
  );
}
