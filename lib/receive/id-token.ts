import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';
import * as v from 'valibot';
import { JsonObject, jsonObject } from './json-object.ts';
import { readPayload } from './payload-error.ts';

/** Most webhooks bring no token: what verifies them is loaded with the first that does. */
const jose = () => import('./jose.ts');

/** What a token must be. */
export interface ExpectedToken {
  /** URL of the issuer, whose keys are found by discovery. */
  issuer: string;
  /** Other spellings of the issuer in the claim `iss`. */
  aliases?: readonly string[];
  audience: string;
}

/** Verifies tokens of OpenID Connect issuers. */
export interface IdTokens {
  /**
   * The claims of a token whose signature, issuer, audience and time hold.
   * @throws TokenError when they do not; IssuerUnavailable when the issuer's keys cannot be read
   */
  verify(token: string, expected: ExpectedToken): Promise<JWTPayload>;
}

/** A token is refused. The message holds nothing of it. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/** The keys of an issuer cannot be read now: nothing is known of the token. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

/** Signatures that a public key verifies: with a shared secret or none, anybody who knows the keys could sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** How long keys are good for, and how soon they are read again for a key that is not among them, in ms. */
const KEEP_MS = 600_000;
const LOOK_AGAIN_MS = 30_000;
/** In seconds. */
const CLOCK_TOLERANCE = 30;
const MAX_TOKEN_LENGTH = 16_384;
const MAX_ISSUERS = 1_000;

const Discovery = jsonObject({
  issuer: v.string(),
  jwks_uri: v.pipe(v.string(), v.trim(), v.regex(/^https?:\/\//i), v.url()),
});
const KeySet = jsonObject({ keys: v.pipe(v.array(JsonObject), v.maxLength(100)) });

interface Keys {
  readAt: number;
  get: Promise<JWTVerifyGetKey>;
}

/**
 * Makes a verifier that reads each issuer's keys when they are first needed and keeps them for ten minutes.
 * @param fetchJson reads a JSON document; where it may reach is its own affair
 * @param now epoch in ms
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export function createIdTokens(fetchJson: (url: string) => Promise<unknown>, now: () => number): IdTokens {
  const known = new Map<string, Keys>();

  function keysOf(issuer: string, olderThanMs: number): JWTVerifyGetKey | Promise<JWTVerifyGetKey> {
    const found = known.get(issuer);
    if (found && now() - found.readAt < olderThanMs) return found.get;
    if (known.size >= MAX_ISSUERS) known.clear();
    const get = readKeys(issuer, fetchJson);
    known.set(issuer, { readAt: now(), get });
    get.catch(() => {
      if (known.get(issuer)?.get === get) known.delete(issuer);
    });
    return get;
  }

  return {
    async verify(token, { issuer, aliases = [], audience }) {
      if (token.length > MAX_TOKEN_LENGTH) throw new TokenError('the token is too long');
      const options = {
        issuer: [issuer, ...aliases],
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['iss', 'aud', 'exp'],
        clockTolerance: CLOCK_TOLERANCE,
        currentDate: new Date(now()),
      };
      const { errors, jwtVerify } = await jose();
      const attempt = async (olderThanMs: number) =>
        (await jwtVerify(token, await keysOf(issuer, olderThanMs), options)).payload;
      try {
        return await attempt(KEEP_MS).catch((error: unknown) => {
          // The issuer may have begun to use a new key.
          if (error instanceof errors.JWKSNoMatchingKey) return attempt(LOOK_AGAIN_MS);
          throw error;
        });
      } catch (error) {
        if (error instanceof IssuerUnavailable) throw error;
        throw new TokenError(problemOf(error, errors));
      }
    },
  };
}

/** The issuer that a token names. Not verified: only to choose whose keys to verify it with. */
export function unverifiedIssuer(token: string): string | undefined {
  try {
    const part = token.split('.')[1] ?? '';
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
    const { iss } = JSON.parse(new TextDecoder().decode(bytes)) as { iss?: unknown };
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(headers: Headers): string | undefined {
  return /^bearer ([!-~]+)$/i.exec(headers.get('authorization') ?? '')?.[1];
}

async function readKeys(
  issuer: string,
  fetchJson: (url: string) => Promise<unknown>,
): Promise<JWTVerifyGetKey> {
  try {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { issuer: named, jwks_uri: keys } = readPayload(Discovery, await fetchJson(url));
    if (named !== issuer) throw new Error('its discovery document names another issuer');
    // Keys that came over plain HTTP could be anybody's.
    if (issuer.startsWith('https:') && !keys.startsWith('https:'))
      throw new Error('its keys are not under https');
    const { createLocalJWKSet } = await jose();
    return createLocalJWKSet(readPayload(KeySet, await fetchJson(keys)) as unknown as JSONWebKeySet);
  } catch (error) {
    throw new IssuerUnavailable(`the keys of the issuer ${issuer} cannot be read`, { cause: error });
  }
}

function problemOf(error: unknown, errors: Awaited<ReturnType<typeof jose>>['errors']): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the claim ${error.claim} of the token is not right`;
  return 'the token is not valid';
}
