import { decodePayload } from '../decode.ts';
import { readGoogleEvent } from '../registries/gcr.ts';
import { isFromGoogle } from '../registries/google-identity.ts';
import { messageId, unwrapMessage } from '../registries/pubsub.ts';
import type { HookType } from './hook-type.ts';
import { signed } from './verdict.ts';

/** Google's registries, by an authenticated push subscription of Pub/Sub. Filters see what its message wraps. */
export const gcr: HookType = {
  async verify({ headers }, { secret, tokens }) {
    const { email = '', audience = '' } = secret;
    return signed(await isFromGoogle(headers, { email, audience }, tokens));
  },
  deliveryId: ({ headers, body }) => messageId(decodePayload(body, headers.get('content-type'))),
  read: ({ headers, body }) => unwrapMessage(decodePayload(body, headers.get('content-type'))),
  pushed: readGoogleEvent,
};
