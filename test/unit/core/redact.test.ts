import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from '../../../lib/core/redact.ts';

const secret = 'p@ss "word"/ä+1';

test.each([
  ['as it is', secret],
  ['in JSON', JSON.stringify({ a: secret })],
  ['in a URL', `https://host/?x=${encodeURIComponent(secret)}`],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
])('a secret is removed %s', (_how, text) => {
  const clean = redact(`before ${text} after`, [secret]);
  expect(clean).toMatch(/^before .*\*\*\*.* after$/);
  expect(clean).not.toContain(text);
});

test('a secret is removed from the base64 of a longer text, wherever it stands in it', () => {
  for (const user of ['', 'a', 'ab', 'abc', 'abcd']) {
    const encoded = Buffer.from(`${user}:correct-horse-battery:x`).toString('base64');
    const clean = redact(`Authorization ${encoded}`, ['correct-horse-battery']);
    const [left = ''] = /[A-Za-z0-9+/]*\*\*\*[A-Za-z0-9+/=]*/.exec(clean) ?? [];
    expect(left).not.toBe('');
    // What is left are the characters around it, and at most one of its own at each end.
    expect(Buffer.from(left.replace('***', ''), 'base64').toString('latin1')).not.toMatch(/orrect|batter/);
  }
});

test('each longer line of a secret is removed, but not words that stand alone in one', () => {
  const key = '{\n  "privateKey": "MIIEvQIBADANBg"\n}\n';
  expect(redact('unexpected "privateKey": "MIIEvQIBADANBg" in line 2 }', [key])).not.toContain('MIIEvQ');
  expect(redact('a } b', [key])).toBe('a } b');
});

test('a secret that ends with a line break is removed without it', () => {
  expect(redact('token tok-12345 refused', ['tok-12345\n'])).not.toContain('tok-12345');
});

test('of a secret that contains another one nothing is left', () => {
  expect(redact('value abcd-efgh-ijkl', ['efgh', 'abcd-efgh-ijkl'])).toBe('value ***');
});

test('texts of fewer than four characters stay, and so does everything else', () => {
  expect(redact('on port 80 of web', ['80', '', 'web'])).toBe('on port 80 of web');
});

test('lone surrogates do no harm', () => {
  expect(redact('x \ud800abc y', ['\ud800abc'])).toBe('x \ud800abc y');
  expect(redact('plain abcdef', ['abcdef\ud800'])).toBe('plain abcdef');
});

test('whatever the secrets and the text are, no secret is left as it is', () => {
  const secrets = fc.array(fc.string({ minLength: 4, maxLength: 12 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.string(), fc.string(), secrets, (before, after, all) => {
      const clean = redact(before + all.join(' ') + after, all);
      // A mask can stand where a secret of asterisks stood, so those are left out.
      for (const each of all.filter((text) => !text.includes('*') && text.trim().length >= 4))
        expect(clean.replaceAll('***', '\u0000')).not.toContain(each);
    }),
  );
});

test.each([
  ['a URL', 'https://bob:hunter22@example.org/x'],
  ['a token in a URL', 'https://ghp0123456789@example.org/x'],
  ['a header', 'Authorization: Bearer abcdef.hunter22'],
  ['a GitHub token', 'ghp_hunter22hunter22'],
  ['a query', 'https://example.org/?token=hunter22'],
  ['an age key', 'AGE-SECRET-KEY-1HUNTER22'],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nhunter22'],
])('credentials with a known form go without being named: %s', (_what, text) => {
  const clean = redact(text);
  expect(clean).toContain('***');
  expect(clean).not.toMatch(/hunter22|ghp0123456789/i);
});
