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

/** Lines shorter than this are too common to be removed from a text. */
const MIN_LINE = 8;

/** The forms in which a secret may be echoed back to us. */
function spellings(secret: string): string[] {
  const whole = secret.toWellFormed();
  const parts = [whole, whole.trim(), ...lines(whole)];
  return [...new Set(parts)].flatMap((text) => {
    const bytes = Buffer.from(text, 'utf8');
    return [
      text,
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      ...(text.length >= MIN_LINE ? within(bytes) : []),
    ];
  });
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_LINE);
}

/** What of a secret shows in the base64 of a longer text, such as `user:password`, at each of the three places it may stand at. */
function within(secret: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), secret]).toString('base64');
    const end = Math.floor(((offset + secret.length) * 8) / 6);
    return encoded.slice(Math.ceil((offset * 8) / 6), end);
  });
}

/**
 * Removes credentials from a text that will be stored or shown.
 * @param text any text
 * @param secrets values known to be secret; each is also removed in its JSON, base64 and URL-encoded spelling. Values under
 *   four characters are ignored: masking them would destroy the text and hide nothing. Of a secret of several lines, each
 *   longer line is removed too.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let result = text;
  const forms = new Set(secrets.flatMap(spellings).filter((form) => form.length >= 4));
  // Longer ones first: a secret that contains another must not leave its rest behind.
  for (const form of [...forms].sort((a, b) => b.length - a.length)) result = result.replaceAll(form, MASK);
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}
