import { parseCloudPullRequest, parseCloudPush } from './bitbucket-cloud-payload.ts';
import { parseServerPullRequest, parseServerPush } from './bitbucket-server-payload.ts';
import type { ReceiverType } from './receiver.ts';
import { verifyPrefixedHmac } from './signature.ts';

/**
 * Bitbucket Cloud, and Bitbucket Server (Data Center). Both sign with `X-Hub-Signature: sha256=…`; their events differ in name.
 * https://support.atlassian.com/bitbucket-cloud/docs/event-payloads
 * https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
 */
export const bitbucket: ReceiverType = {
  proof,
  verify: ({ headers, body }, secrets) => verifyPrefixedHmac(body, proof(headers), secrets),
  event: (headers) => headers.get('x-event-key') ?? '',
  deliveryId: (headers) => headers.get('x-request-uuid') ?? headers.get('x-request-id') ?? undefined,
  parse(event, payload) {
    if (event === 'diagnostics:ping') return { kind: 'ping' };
    if (event === 'repo:push') return parseCloudPush(payload);
    if (event === 'repo:refs_changed') return parseServerPush(payload);
    if (event.startsWith('pullrequest:')) return parseCloudPullRequest(event, payload);
    if (event.startsWith('pr:')) return parseServerPullRequest(event, payload);
    return { kind: 'ignored', why: 'this event deploys nothing' };
  },
};

function proof(headers: Headers): string | null {
  return headers.get('x-hub-signature-256') ?? headers.get('x-hub-signature');
}
