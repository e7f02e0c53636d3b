import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../lib/retry-after.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const read = (headers: Record<string, string>) => retryAfter(new Headers(headers), NOW);

describe('retryAfter', () => {
  it('reads seconds and dates', () => {
    expect(read({ 'retry-after': '30' })).toBe(30_000);
    expect(read({ 'retry-after': 'Fri, 01 May 2026 12:01:00 GMT' })).toBe(60_000);
  });

  it('reads the reset time only when nothing is left', () => {
    const reset = String(NOW / 1_000 + 90);
    expect(read({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })).toBe(90_000);
    expect(read({ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': reset })).toBeUndefined();
  });

  it('prefers what was said outright', () => {
    expect(
      read({
        'retry-after': '1',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(NOW / 1_000 + 90),
      }),
    ).toBe(1_000);
  });

  it('never asks to wait in the past or for longer than a day', () => {
    expect(read({ 'retry-after': 'Fri, 01 May 2026 11:00:00 GMT' })).toBe(0);
    expect(read({ 'retry-after': '99999999' })).toBe(86_400_000);
  });

  it.each(['', '-5', 'soon', 'NaN'])('ignores %j', (value) => {
    const headers = new Headers();
    headers.set('retry-after', value);
    const found = retryAfter(headers, NOW);
    expect(found === undefined || found === 0).toBe(true);
  });
});
