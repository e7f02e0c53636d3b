import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { Decryption } from '../render/render.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { readSecret } from './read-secret.ts';
import type { Run } from './run.ts';

/**
 * The private keys of `spec.decryption.secretRef`: entries ending in `.agekey` are age identities, those in `.asc` armoured OpenPGP keys.
 * @returns undefined when nothing is to be decrypted
 */
export async function decryptionKeys(
  run: Pick<Run, 'client' | 'ref'>,
  object: Kustomization,
): Promise<Decryption | undefined> {
  const { decryption } = object.spec;
  if (!decryption) return undefined;
  if (!decryption.secretRef) {
    throw new ReconcileError(
      'BuildFailed',
      `spec.decryption of ${describe(run.ref)} names no secretRef; cloud key services are not supported, give age or OpenPGP keys in a Secret`,
      { outcome: 'stall' },
    );
  }
  const namespace = object.metadata.namespace ?? '';
  const data = await readSecret(
    run.client,
    namespace,
    decryption.secretRef.name,
    `${describe(run.ref)} spec.decryption`,
    'BuildFailed',
  );
  const texts = (suffix: string) =>
    Object.entries(data)
      .filter(([key]) => key.endsWith(suffix))
      .map(([, bytes]) => Buffer.from(bytes).toString('utf8'));
  return { ageIdentities: texts('.agekey'), pgpKeys: texts('.asc') };
}
