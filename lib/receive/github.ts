import { Webhooks } from '@octokit/webhooks';
import { parseGitHubStyle } from './github-payload.ts';
import type { ReceiverType } from './receiver.ts';
import { usable } from './signature.ts';

/** GitHub and GitHub Enterprise Server. https://docs.github.com/en/webhooks/webhook-events-and-payloads */
export const github: ReceiverType = {
  proof: (headers) => headers.get('x-hub-signature-256'),
  async verify({ headers, body }, secrets) {
    const signature = headers.get('x-hub-signature-256') ?? '';
    if (!/^sha256=[0-9a-f]{64}$/i.test(signature)) return false;
    const text = exactText(body);
    if (text === undefined) return false;
    let valid = false;
    for (const secret of usable(secrets))
      valid = (await new Webhooks({ secret }).verify(text, signature.toLowerCase())) || valid;
    return valid;
  },
  event: (headers) => headers.get('x-github-event') ?? '',
  deliveryId: (headers) => headers.get('x-github-delivery') ?? undefined,
  parse: parseGitHubStyle,
};

/** The text that encodes to exactly these bytes; undefined when there is none or it is empty. */
function exactText(body: Uint8Array): string | undefined {
  if (body.byteLength === 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
