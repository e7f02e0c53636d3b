const MASK = '***';

/** Userinfo of a URL, bearer and basic credentials, and tokens with a well-known prefix. */
const PATTERNS: readonly [RegExp, string][] = [
  [/([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]*:[^/\s@]*@/gi, `$1${MASK}@`],
  [/([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]{8,}@/gi, `$1${MASK}@`],
  [/\b(bearer|basic|token)\s+[a-z0-9+/_.=~-]{8,}/gi, `$1 ${MASK}`],
  [/\b(gh[pousr]_|github_pat_|glpat-|AKIA|xox[abps]-)[A-Za-z0-9_-]{8,}/g, MASK],
  [/AGE-SECRET-KEY-1[A-Z0-9]+/g, MASK],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [/([?&](?:access_token|token|sig|signature|X-Amz-Signature|X-Amz-Security-Token)=)[^&\s]+/gi, `$1${MASK}`],
];

/** The forms in which a secret may be echoed back to us. */
function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const base64 = Buffer.from(secret, 'utf8').toString('base64');
  return [secret, json, base64, encodeURIComponent(secret)];
}

/**
 * Removes credentials from a text that will be stored or shown.
 * @param text any text
 * @param secrets values known to be secret; each is also removed in its JSON, base64 and URL-encoded spelling. Values under
 *   four characters are ignored: masking them would destroy the text and hide nothing.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let result = text;
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    for (const spelling of spellings(secret)) result = result.replaceAll(spelling, MASK);
  }
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}
