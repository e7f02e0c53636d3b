import { createHmac } from 'node:crypto';

/** A push as GitHub delivers it, signed with a secret; for whatever path it is sent to. */
export function signedByGitHub(body: string, delivery: string, secret: string) {
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': delivery,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return { method: 'POST', body, headers };
}
