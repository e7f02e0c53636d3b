import { bearerToken, type IdTokens, IssuerUnavailable, TokenError } from '../id-token.ts';

const ISSUER = 'https://accounts.google.com';

/**
 * Whether a delivery carries a token of Google for one service account: its signature, its issuer, its audience, and its verified e-mail.
 * Anybody can get Google to sign a token, so none of these may be left out.
 * @throws IssuerUnavailable
 * @see https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 */
export async function isFromGoogle(
  headers: Headers,
  identity: { email: string; audience: string } | undefined,
  tokens: IdTokens,
): Promise<boolean> {
  const token = bearerToken(headers);
  if (!identity?.email || !identity.audience || token === undefined) return false;
  try {
    const { email, email_verified: verified } = await tokens.verify(token, {
      issuer: ISSUER,
      aliases: ['accounts.google.com'],
      audience: identity.audience,
    });
    return email === identity.email && verified === true;
  } catch (error) {
    if (error instanceof IssuerUnavailable) throw error;
    if (error instanceof TokenError) return false;
    throw error;
  }
}
