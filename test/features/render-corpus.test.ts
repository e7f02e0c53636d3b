import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { canonicalJson } from '../../lib/core/digest.ts';

import { builds } from '../fixtures/kustomize/builds.ts';
import { filesBelow, renderFiles, testEngine } from '../support/render.ts';
import { tarOf } from '../support/tar-of.ts';

const engine = testEngine();
afterAll(() => engine.close());

describe('over the corpus', () => {
  test('there are at least 40 builds', () => {
    expect(builds().length).toBeGreaterThanOrEqual(40);
  });

  describe.each(builds())('$name', ({ name, folder, path }) => {
    const expected = readFileSync(join(folder, '../../expected', `${name}.yaml`), 'utf8');

    test('is byte for byte what kubectl kustomize prints', async () => {
      const archive = tarOf(filesBelow(folder));
      const context = { tenant: 'corpus', readTree: async () => archive };
      const answer = await engine.build({ tree: `corpus-${name}`, path, spec: {}, format: 'yaml' }, context);
      expect(answer.error).toBe('');
      expect(Buffer.from(answer.payload).toString('utf8')).toBe(expected);
    });

    test('gives the same objects in the same order', async () => {
      const { objects } = await renderFiles(engine, filesBelow(folder), { path });
      const documents = parseAllDocuments(expected, { version: '1.1', intAsBigInt: true });
      expect(objects.map(plain)).toEqual(documents.map((document) => plain(document.toJS())));
    });
  });
});

const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
};

/** Text with sorted keys, in which every digit of an integer counts. */
function plain(value: unknown): string {
  const text = JSON.stringify(value, (_key, member) =>
    typeof member === 'bigint' ? json.rawJSON(String(member)) : member,
  );
  return canonicalJson(
    json.parse(text, (_key, member, { source }) =>
      typeof member === 'number' ? `number ${Number.isInteger(member) ? source : member}` : member,
    ),
  );
}
