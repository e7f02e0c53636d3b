import { generic as registry } from '../registries/generic.ts';
import { verifyHmac } from '../signature.ts';
import type { HookType } from './hook-type.ts';
import { readAnything } from './read-object.ts';
import { signed } from './verdict.ts';

const HASHES = { sha256: 'SHA-256', sha512: 'SHA-512' } as const;

/** Any caller who signs the body: `X-Signature: sha256=…` or `sha512=…`. Flux takes SHA-1 as well; it is refused here. */
export const genericHmac: HookType = {
  async verify({ headers, body }, { secret }) {
    const [, name = '', hex = ''] = /^([a-z0-9]+)=(.*)$/.exec(headers.get('x-signature') ?? '') ?? [];
    if (name === 'sha1') return { ok: false, why: 'SHA-1 is not accepted; sign with sha256 or sha512' };
    if (name !== 'sha256' && name !== 'sha512') return signed(false);
    return signed(await verifyHmac(body, hex, [secret.token], HASHES[name]));
  },
  deliveryId: () => undefined,
  read: readAnything,
  pushed: (payload, host) => registry.parse(new Headers(), payload, host),
};
