import { createSeal, type Seal } from '../../lib/secrets/seal.ts';
import type { OpenFleet } from '../open-fleet.ts';

/**
 * The seal of an installation on AWS. Functions share no disk on which a key could be made, so the fleet file must name one; it is read when
 * the first Receiver needs it.
 */
export function lazySeal({ fleet, secret }: OpenFleet): Seal {
  let opened: Promise<Seal> | undefined;
  const open = () => {
    opened ??= read().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  async function read(): Promise<Seal> {
    const { key } = fleet.storage;
    if (key === undefined)
      throw new Error(
        'storage.key is not set in the fleet file; on AWS it must name the key of the installation',
      );
    return createSeal(await secret(key));
  }
  return {
    seal: async (text, place) => (await open()).seal(text, place),
    open: async (sealed, place) => (await open()).open(sealed, place),
  };
}
