import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText, safeUrl } from '../../../lib/forge/plain-text.ts';

describe('plainText', () => {
  it('never exceeds the limit, never breaks a character, and is one printable line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 2, max: 150 }),
        (text, max) => {
          const plain = plainText(text, max);
          expect(plain.length).toBeLessThanOrEqual(max);
          expect(plain.isWellFormed()).toBe(true);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be left
          expect(plain).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
          expect(plain).not.toMatch(/\]\(/);
        },
      ),
    );
  });

  it('leaves ordinary text alone', () => {
    const text = 'Deployment/apps/podinfo: health check failed: 0 of 1 available (naïve ✓)';
    expect(plainText(text, 140)).toBe(text);
  });

  it('removes credentials', () => {
    expect(plainText('clone of https://me:hunter22@h/x failed', 140)).toBe('clone of https://***@h/x failed');
  });
});

describe('safeUrl', () => {
  it('lets only web pages through', () => {
    expect(safeUrl('https://slipway.example.org/runs/1')).toBe('https://slipway.example.org/runs/1');
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '//h', '', undefined])
      expect(safeUrl(url)).toBeUndefined();
  });
});
