import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createHttp } from '../../../lib/http.ts';
import { createNetworkPolicy } from '../../../lib/network.ts';
import { idTokensOf } from '../../../lib/pipeline/webhook-edge.ts';
import { IssuerUnavailable } from '../../../lib/receive/id-token.ts';
import { serveIssuer } from '../../support/oidc-issuer.ts';

const OPTIONS = { timeoutMs: 5_000, maxBytes: 1_000_000, userAgent: 'test' };

test('keys of an issuer are read within the network policy alone', async () => {
  const issuer = await serveIssuer();
  const [closed, open] = [[], ['127.0.0.1']].map((allow) =>
    createHttp({ ...OPTIONS, policy: createNetworkPolicy({ allow }) }),
  );
  if (!closed || !open) throw new Error('two clients were made');
  try {
    const token = await issuer.sign({ aud: 'slipway' });
    const expected = { issuer: issuer.url, audience: 'slipway' };
    const clock = { now: Date.now };
    const refused = idTokensOf({ ...clock, http: closed }).verify(token, expected);
    await expect(refused).rejects.toThrow(IssuerUnavailable);
    expect(await idTokensOf({ ...clock, http: open }).verify(token, expected)).toMatchObject({
      aud: 'slipway',
    });
  } finally {
    await Promise.all([closed.close(), open.close(), issuer.stop()]);
  }
});

test('an issuer that answers with too much, or leads elsewhere, is not followed', async () => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/large')) response.end(`"${'x'.repeat(300_000)}"`);
    else response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const http = createHttp({ ...OPTIONS, policy: createNetworkPolicy({ allow: ['127.0.0.1'] }) });
  try {
    const tokens = idTokensOf({ now: Date.now, http });
    for (const issuer of [`${url}/large`, url])
      await expect(tokens.verify('a.b.c', { issuer, audience: 'x' })).rejects.toThrow(IssuerUnavailable);
  } finally {
    await http.close();
    await new Promise((resolve) => server.close(resolve));
  }
});
