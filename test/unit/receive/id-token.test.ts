import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  bearerToken,
  createIdTokens,
  IssuerUnavailable,
  TokenError,
  unverifiedIssuer,
} from '../../../lib/receive/id-token.ts';
import { createIssuer, documentsOf, type Issuer } from '../../support/oidc-issuer.ts';

const URL = 'https://token.example.com';

async function setUp(change: (issuer: Issuer) => void = () => undefined) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const issuer = await createIssuer(URL, () => clock.now);
  change(issuer);
  const fetched: string[] = [];
  const read = documentsOf(issuer);
  const tokens = createIdTokens(
    (url) => {
      fetched.push(url);
      return read(url);
    },
    () => clock.now,
  );
  const verify = (token: string) => tokens.verify(token, { issuer: URL, audience: 'slipway' });
  return { clock, issuer, fetched, verify };
}

test('the claims of a valid token are given, and keys are read once in ten minutes', async () => {
  const { clock, issuer, fetched, verify } = await setUp();
  const sign = () => issuer.sign({ aud: ['other', 'slipway'], sub: 'me' });
  expect(await verify(await sign())).toMatchObject({ iss: URL, sub: 'me' });
  await Promise.all([sign(), sign(), sign()].map(async (token) => verify(await token)));
  expect(fetched).toEqual([`${URL}/.well-known/openid-configuration`, `${URL}/keys`]);
  clock.now += 11 * 60_000;
  await verify(await sign());
  expect(fetched).toHaveLength(4);
});

test('a key that the issuer has just begun to use is looked for, but not with every token', async () => {
  const { clock, issuer, fetched, verify } = await setUp();
  await verify(await issuer.sign({ aud: 'slipway' }));
  await issuer.rotate();
  const token = await issuer.sign({ aud: 'slipway' });
  for (let attempt = 0; attempt < 5; attempt++) await expect(verify(token)).rejects.toThrow(TokenError);
  expect(fetched).toHaveLength(2);
  clock.now += 31_000;
  expect(await verify(token)).toMatchObject({ aud: 'slipway' });
});

test('nothing but a signature by a key of the issuer counts', async () => {
  const { issuer, verify } = await setUp();
  const claims = { aud: 'slipway' };
  const fine = await issuer.sign(claims);
  const [header = '', payload = '', signature = ''] = fine.split('.');
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const none = `${encode({ alg: 'none' })}.${payload}.`;
  // As if the public key were a shared secret: the classic confusion of algorithms.
  const { keys } = issuer.documents.get(`${URL}/keys`) as { keys: { n: string; kid: string }[] };
  const symmetric = `${encode({ alg: 'HS256', kid: keys[0]?.kid })}.${payload}`;
  const forged = createHmac('sha256', keys[0]?.n ?? '')
    .update(symmetric)
    .digest('base64url');
  for (const token of [
    await issuer.sign(claims, { key: 'unknown' }),
    await issuer.sign(claims, { header: { kid: 'other' } }),
    `${header}.${encode({ iss: URL, aud: 'slipway', exp: 9e9, admin: true })}.${signature}`,
    none,
    `${symmetric}.${forged}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    '',
    'x',
    `${'a'.repeat(20_000)}.b.c`,
  ])
    await expect(verify(token), token.slice(0, 40)).rejects.toThrow(TokenError);
});

test('an error names the claim that is not right, and nothing of the token', async () => {
  const { clock, issuer, verify } = await setUp();
  const failure = async (claims: Record<string, unknown>) =>
    String(await verify(await issuer.sign(claims)).catch((error: unknown) => error));
  expect(await failure({ aud: 'secret-audience' })).toBe(
    'TokenError: the claim aud of the token is not right',
  );
  expect(await failure({ iss: 'https://secret.example', aud: 'slipway' })).toMatch(/claim iss/);
  expect(await failure({ aud: 'slipway', exp: clock.now / 1000 - 31 })).toMatch(/expired/);
  expect(await failure({ aud: 'slipway', exp: undefined })).toMatch(/claim exp/);
  expect(await failure({ aud: undefined })).toMatch(/claim aud/);
});

test('an issuer whose keys cannot be read is no reason to refuse a token, nor to accept it', async () => {
  for (const change of [
    ({ documents }: Issuer) => documents.clear(),
    ({ documents }: Issuer) => documents.set(`${URL}/keys`, { keys: 'none' }),
    ({ documents }: Issuer) =>
      documents.set(`${URL}/.well-known/openid-configuration`, {
        issuer: 'https://other',
        jwks_uri: `${URL}/keys`,
      }),
    ({ documents }: Issuer) =>
      documents.set(`${URL}/.well-known/openid-configuration`, {
        issuer: URL,
        jwks_uri: 'http://token.example.com/keys',
      }),
    ({ documents }: Issuer) =>
      documents.set(`${URL}/.well-known/openid-configuration`, {
        issuer: URL,
        jwks_uri: 'file:///etc/passwd',
      }),
  ]) {
    const { issuer, verify } = await setUp(change);
    await expect(verify(await issuer.sign({ aud: 'slipway' }))).rejects.toThrow(IssuerUnavailable);
  }
});

test('an issuer that was away is asked again at once', async () => {
  const { issuer, verify } = await setUp();
  const saved = new Map(issuer.documents);
  issuer.documents.clear();
  const token = await issuer.sign({ aud: 'slipway' });
  await expect(verify(token)).rejects.toThrow(IssuerUnavailable);
  for (const [url, document] of saved) issuer.documents.set(url, document);
  expect(await verify(token)).toMatchObject({ aud: 'slipway' });
});

test('a bearer token is one word after its scheme', () => {
  const of = (authorization: string) => bearerToken(new Headers({ authorization }));
  expect([of('Bearer a.b.c'), of('bearer x')]).toEqual(['a.b.c', 'x']);
  for (const text of ['', 'Bearer', 'Bearer ', 'Basic x', 'Bearer a b', 'Bearer a, Bearer b'])
    expect(of(text)).toBeUndefined();
  expect(bearerToken(new Headers())).toBeUndefined();
});

test('the issuer that a token names is read from any text without throwing', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(unverifiedIssuer(`x.${encode({ iss: 'https://ä.example' })}.y`)).toBe('https://ä.example');
  for (const text of ['', '.', '..', 'x.!.y', `x.${encode(null)}.y`, `x.${encode({ iss: 1 })}.y`])
    expect(unverifiedIssuer(text)).toBeUndefined();
});
