import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settersOf } from '../../../lib/image/setters.ts';
import { updateFiles } from '../../../lib/image/update-files.ts';

/** A piece of a file: text that must stay, or a marked value with its quotes. */
type Piece = string | { quote: '' | "'" | '"'; part: '' | ':name' | ':tag' | ':digest' };

const image = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}\.io(:[0-9]{2,4})?(\/[a-z0-9]{1,6}([._-][a-z0-9]{1,3})?){1,3}$/),
  tag: fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/),
    fc.constantFrom(
      '1',
      '1.10',
      '1e3',
      '0x1f',
      'yes',
      'null',
      '2024-01-02',
      '1_000',
      '0o7',
      '.5',
      '12:30',
      'true',
    ),
  ),
  digest: fc.oneof(fc.constant(''), fc.stringMatching(/^sha256:[0-9a-f]{64}$/)),
});

const marked = fc.record({
  quote: fc.constantFrom('' as const, "'" as const, '"' as const),
  part: fc.constantFrom('' as const, ':name' as const, ':tag' as const, ':digest' as const),
});
const plain = fc.stringMatching(/^[a-z][a-z0-9 .é✓]{0,10}[a-z0-9]$/u);
const comment = fc.oneof(
  fc.constant(''),
  plain.map((text) => ` # ${text}`),
  fc.constant(' # {"$imagepolicy": "apps:other"}'),
);
const space = fc.constantFrom(' ', '  ', '\t');

/** The lines of one document, as pieces. Line ends are put in later. */
const line = (key: number): fc.Arbitrary<Piece[]> =>
  fc.oneof(
    fc.tuple(plain, comment).map(([text, after]): Piece[] => [`k${key}: ${text}${after}`]),
    fc
      .tuple(plain, comment)
      .map(([text, after]): Piece[] => [`k${key}:${after}\n  - ${text}\n  - b: {c: [d, 'e']}`]),
    plain.map((text): Piece[] => [`k${key}: |+\n  ${text} # {"$imagepolicy": "apps:web"}\n\n  end`]),
    fc.tuple(plain).map(([text]): Piece[] => [`k${key}: &a${key} "${text}"\nl${key}: *a${key}`]),
    fc
      .tuple(marked, space, fc.constantFrom('', `&m${key} `, '!!str ', '!!str &t '))
      .map(([value, gap, before]): Piece[] => [`k${key}: ${before}`, value, `${gap}# ${marker(value.part)}`]),
    fc
      .tuple(marked, space)
      .map(([value, gap]): Piece[] => [
        `k${key}:\n  - x: y\n    z:${gap}`,
        value,
        ` # ${marker(value.part)}`,
      ]),
    marked.map((value): Piece[] => [`k${key}:\n  - one\n  # ${marker(value.part)}\n  - `, value]),
    marked.map((value): Piece[] => [
      `k${key}: { a: b,\n   c: `,
      value,
      `, # ${marker(value.part)}\n   d: e }`,
    ]),
  );

function marker(part: string): string {
  return `{"$imagepolicy": "apps:web${part}"}`;
}

const documents = fc
  .array(
    fc
      .array(fc.nat(), { minLength: 1, maxLength: 8 })
      .chain((keys) => fc.tuple(...keys.map((_, index) => line(index)))),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) =>
    list.flatMap((lines, index): Piece[] => [
      ...(index > 0 ? ['---\n'] : []),
      ...lines.flatMap((pieces): Piece[] => [...pieces, '\n']),
    ]),
  );

describe('an edit of any YAML', () => {
  it('changes exactly the marked values, byte for byte', () => {
    fc.assert(
      fc.property(
        documents,
        image,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        (pieces, chosen, end, bom, finalEnd) => {
          const setters = settersOf([{ namespace: 'apps', name: 'web', image: chosen }]);
          const write = (value: (piece: Exclude<Piece, string>) => string) => {
            const text = pieces.map((piece) => (typeof piece === 'string' ? piece : value(piece))).join('');
            const lines = (finalEnd ? text : text.replace(/\n$/, '')).replaceAll('\n', end);
            return `${bom ? '\ufeff' : ''}${lines}`;
          };
          const before = write(({ quote }) => `${quote}old.value${quote}`);
          const { files, problems } = updateFiles([{ path: 'a.yaml', data: Buffer.from(before) }], setters);
          expect(problems).toEqual([]);
          const after = Buffer.from(files.get('a.yaml') ?? before).toString();
          const value = ({ part }: Exclude<Piece, string>) => setters.get(`apps:web${part}`)?.value ?? '';
          // A plain value may have got double quotes, where it needs them; nothing else may differ.
          const either = write((piece) => `${piece.quote}${value(piece)}${piece.quote}`);
          const quoted = write((piece) =>
            piece.quote === '' ? `<${value(piece)}>` : `${piece.quote}${value(piece)}${piece.quote}`,
          );
          const pattern = quoted
            .split(/[<>]/)
            .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
            .join('"?');
          expect(after === either || new RegExp(`^${pattern}$`).test(after)).toBe(true);
          const again = updateFiles([{ path: 'a.yaml', data: Buffer.from(after) }], setters);
          expect(again.files.size).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
    // Some seconds, and many on a machine with much else to do.
  }, 60_000);

  it('never changes a text of any characters into something else than itself with new values', () => {
    const setters = settersOf([
      { namespace: 'apps', name: 'web', image: { name: 'n', tag: 'NEW', digest: '' } },
    ]);
    const fragments = fc.constantFrom(
      'a: b',
      '- ',
      '\n',
      '  ',
      '# ',
      '{',
      '}',
      ',',
      "'",
      '"',
      '|',
      '>',
      '&a ',
      '*a',
      '!!str ',
      '---\n',
      '? ',
      ': ',
      '\r\n',
      '\t',
      '%YAML 1.1\n',
      ' # {"$imagepolicy": "apps:web:tag"}\n',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 25 }), (parts) => {
        const before = parts.join('');
        const { files } = updateFiles([{ path: 'a.yaml', data: Buffer.from(before) }], setters);
        const after = files.get('a.yaml');
        if (!after) return;
        // Without the value that was set, what is left must stand in the text as it was, in order.
        const rest = Buffer.from(after)
          .toString()
          .split(/ ?(?:"NEW"|'NEW'|NEW)/);
        let at = 0;
        for (const piece of rest) {
          const found = before.indexOf(piece, at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found + piece.length;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
