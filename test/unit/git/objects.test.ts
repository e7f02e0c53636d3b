import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GitError } from '../../../lib/git/errors.ts';
import { parseTree, readObjects } from '../../../lib/git/objects.ts';
import type { GitCall, GitSession } from '../../../lib/git/session.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';

const ID = 'a'.repeat(40);
const listing = (...lines: string[]) => Buffer.from(lines.map((line) => `${line}\0`).join(''));

test('a listing is read with kinds, sizes and names as they are', () => {
  const tree = listing(
    `100644 blob ${ID}      12\ta.yaml`,
    `100755 blob ${ID} 1234567\trun me.sh`,
    `120000 blob ${ID}       3\tlink\twith tab`,
    `160000 commit ${ID}       -\tsub/module`,
  );
  expect(parseTree(tree, 10)).toEqual([
    { path: 'a.yaml', kind: 'file', id: ID, size: 12 },
    { path: 'run me.sh', kind: 'executable', id: ID, size: 1_234_567 },
    { path: 'link\twith tab', kind: 'link', id: ID, size: 3 },
    { path: 'sub/module', kind: 'submodule', id: ID, size: -1 },
  ]);
  expect(parseTree(listing(`100644 blob ${ID}\tno size`), 10)[0]).toMatchObject({
    path: 'no size',
    size: -1,
  });
  expect(parseTree(Buffer.alloc(0), 10)).toEqual([]);
});

test.each(['../x', 'a/../x', '/x', 'a//x', './x', '.git/config', 'a/.GIT/hooks/x', '.Git', ''])(
  'the name %j is refused',
  (path) => {
    expect(() => parseTree(listing(`100644 blob ${ID} 1\t${path}`), 10)).toThrow(GitError);
  },
);

test('too many files are refused, with what to do about it', () => {
  const tree = listing(`100644 blob ${ID} 1\ta`, `100644 blob ${ID} 1\tb`);
  expect(() => parseTree(tree, 1)).toThrow(/more than 1 files.*sparseCheckout/);
});

/** A session whose Git prints the given bytes in the given pieces. */
function printing(pieces: readonly Uint8Array[]): GitSession {
  const url = parseGitUrl('https://host/repo');
  const result = { stdout: Buffer.alloc(0), stderr: '', code: 0 };
  return {
    url,
    auth: {},
    async git(_args, call: GitCall) {
      for (const piece of pieces) call.onStdout?.(piece);
      return result;
    },
    moveTo: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function read(session: GitSession, ids: readonly string[]): Promise<Buffer[]> {
  const contents: Buffer[][] = [];
  await readObjects(session, '/x', ids, {
    begin: (index) => {
      contents[index] = [];
    },
    write: (index, chunk) => void contents[index]?.push(Buffer.from(chunk)),
  });
  return contents.map((chunks) => Buffer.concat(chunks));
}

test('objects are put together again wherever the output is cut into pieces', async () => {
  const content = fc.uint8Array({ maxLength: 40 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 6 }), cuts, async (contents, lengths) => {
      const ids = contents.map((_, index) => String(index).repeat(40));
      const output = Buffer.concat(
        contents.flatMap((data, index) => [
          Buffer.from(`${ids[index]} blob ${data.length}\n`),
          data,
          Buffer.from('\n'),
        ]),
      );
      const pieces: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < output.length; turn += 1) {
        const length = lengths[turn % lengths.length] ?? 1;
        pieces.push(output.subarray(at, at + length));
        at += length;
      }
      expect(await read(printing(pieces), ids)).toEqual(contents.map((data) => Buffer.from(data)));
    }),
  );
});

test('an object that is missing, another one, or cut off is noticed', async () => {
  for (const output of [`${ID} missing\n`, `${'b'.repeat(40)} blob 1\nx\n`, `${ID} blob 5\nab`, '', 'x']) {
    await expect(read(printing([Buffer.from(output)]), [ID])).rejects.toThrow(GitError);
  }
});
