import { formPayload } from './decode.ts';
import { parseDeletion, parseGitHubStyle } from './github-payload.ts';
import type { ReceiverType } from './receiver.ts';
import { verifyHmac, verifyPrefixedHmac } from './signature.ts';

/** The same content under the names that Gitea, Forgejo and Gogs give it. */
function header(headers: Headers, name: string): string | null {
  for (const prefix of ['x-gitea-', 'x-forgejo-', 'x-gogs-']) {
    const value = headers.get(`${prefix}${name}`);
    if (value) return value;
  }
  return null;
}

/**
 * Gitea, Forgejo and Gogs. Sent as a form, the signature is over the field `payload`, not over the body.
 * https://docs.gitea.com/usage/webhooks
 */
export const gitea: ReceiverType = {
  proof: (headers) => header(headers, 'signature') ?? headers.get('x-hub-signature-256'),
  async verify({ headers, body }, secrets) {
    const signed = signedBytes(headers, body);
    if (!signed) return false;
    const plain = header(headers, 'signature');
    return plain === null
      ? verifyPrefixedHmac(signed, headers.get('x-hub-signature-256'), secrets)
      : verifyHmac(signed, plain, secrets);
  },
  event: (headers) => header(headers, 'event') ?? '',
  deliveryId: (headers) => header(headers, 'delivery') ?? undefined,
  // A deleted ref comes as an event of its own, not as a push to nothing.
  parse: (event, payload) => (event === 'delete' ? parseDeletion(payload) : parseGitHubStyle(event, payload)),
};

function signedBytes(headers: Headers, body: Uint8Array): Uint8Array | undefined {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return body;
  const payload = formPayload(new TextDecoder().decode(body));
  return payload === undefined ? undefined : new TextEncoder().encode(payload);
}
