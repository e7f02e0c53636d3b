/**
 * OpenID Connect issuers for tests: real keys and real tokens; documents are read from memory, or over HTTP with `serveIssuer`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createIdTokens, type IdTokens } from '../../lib/receive/id-token.ts';

/** Verifies no token: keys are read from nowhere. */
export const noTokens: IdTokens = createIdTokens(
  async () => {
    throw new Error('nothing is fetched');
  },
  () => 0,
);

/** An issuer that signs tokens. */
export interface Issuer {
  url: string;
  /** Documents by their URL. */
  documents: Map<string, unknown>;
  /** Signs claims; `iss`, `iat` and `exp` are set where they are not given. */
  sign(
    claims: JWTPayload,
    options?: { key?: 'current' | 'unknown'; header?: Record<string, unknown> },
  ): Promise<string>;
  /** Begins to use another key. */
  rotate(): Promise<void>;
}

/** Makes an issuer. @param now epoch in ms */
export async function createIssuer(url: string, now: () => number): Promise<Issuer> {
  const documents = new Map<string, unknown>();
  const unknown = await generateKeyPair('RS256');
  let [current, id] = [await generateKeyPair('RS256'), 1];
  async function publish() {
    const jwk = { ...(await exportJWK(current.publicKey)), kid: `key-${id}`, alg: 'RS256', use: 'sig' };
    documents.set(`${url}/.well-known/openid-configuration`, { issuer: url, jwks_uri: `${url}/keys` });
    documents.set(`${url}/keys`, { keys: [jwk] });
  }
  await publish();
  return {
    url,
    documents,
    async sign(claims, { key = 'current', header = {} } = {}) {
      const seconds = Math.floor(now() / 1000);
      const all = { iss: url, iat: seconds, exp: seconds + 300, ...claims };
      return new SignJWT(all)
        .setProtectedHeader({ alg: 'RS256', kid: `key-${id}`, ...header })
        .sign((key === 'current' ? current : unknown).privateKey);
    },
    async rotate() {
      [current, id] = [await generateKeyPair('RS256'), id + 1];
      await publish();
    },
  };
}

/** Reads documents of issuers in memory. */
export function documentsOf(...issuers: readonly Issuer[]): (url: string) => Promise<unknown> {
  return async (url) => {
    const document = issuers.map(({ documents }) => documents.get(url)).find((found) => found !== undefined);
    if (document === undefined) throw new Error(`there is no ${url}`);
    return document;
  };
}

/** An issuer on a free port of this machine. */
export async function serveIssuer(): Promise<Issuer & { stop(): Promise<void> }> {
  let issuer: Issuer | undefined;
  const server = createServer((request, response) => {
    const document = issuer?.documents.get(`${issuer.url}${request.url}`);
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = await createIssuer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, Date.now);
  return { ...issuer, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
