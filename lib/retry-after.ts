/** A day: whoever asks for more is taken to mean "not soon", and a typo must not stop a destination for years. */
const MAX_MS = 24 * 3_600_000;

/**
 * How long a server asks us to wait: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), else GitHub's
 * `X-RateLimit-Reset` (epoch seconds) where `X-RateLimit-Remaining` is 0.
 * @param now epoch in ms
 * @returns ms from now, at most a day; undefined when the server said nothing usable
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const given = headers.get('retry-after')?.trim();
  if (given !== undefined && given !== '') {
    if (/^\d+(\.\d+)?$/.test(given)) return bound(Number(given) * 1_000);
    const date = Date.parse(given);
    if (!Number.isNaN(date)) return bound(date - now);
  }
  if (headers.get('x-ratelimit-remaining')?.trim() !== '0') return undefined;
  const reset = headers.get('x-ratelimit-reset')?.trim() ?? '';
  return /^\d+$/.test(reset) ? bound(Number(reset) * 1_000 - now) : undefined;
}

function bound(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_MS);
}
