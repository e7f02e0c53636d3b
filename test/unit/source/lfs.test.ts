import { expect, test } from 'vitest';
import { parsePointer } from '../../../lib/source/lfs.ts';

const OID = 'f'.repeat(64);

test('a pointer is read', () => {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize 12345\n`;
  expect(parsePointer(Buffer.from(text))).toEqual({ oid: OID, size: 12_345 });
  expect(parsePointer(Buffer.from(text.replace('oid', 'ext-0-foo sha256:1\noid')))).toEqual({
    oid: OID,
    size: 12_345,
  });
});

test.each([
  '',
  'version https://git-lfs.github.com/spec/v1\n',
  `version https://git-lfs.github.com/spec/v1\noid sha256:${'F'.repeat(64)}\nsize 1\n`,
  `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize -1\n`,
  `oid sha256:${OID}\nsize 1\nversion https://git-lfs.github.com/spec/v1\n`,
  `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize 1\n${'x'.repeat(1_100)}`,
])('%j is none', (text) => {
  expect(parsePointer(Buffer.from(text))).toBeUndefined();
});
