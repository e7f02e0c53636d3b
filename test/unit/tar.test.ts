import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../lib/core/digest.ts';
import { run } from '../../lib/exec.ts';
import {
  createTar,
  createTarWriter,
  gunzip,
  readTar,
  TarError,
  type TarLimits,
  type TreeFile,
} from '../../lib/tar.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LIMITS: TarLimits = { maxFiles: 1_000, maxBytes: 10_000_000 };

const bytes = (text: string) => Buffer.from(text);
const read = (archive: Uint8Array, limits = LIMITS) => [...readTar(archive, limits)];

/** Sets fields of the first header and repairs its checksum. */
function forge(
  archive: Uint8Array,
  fields: { name?: string; type?: string; size?: string; link?: string },
): Buffer {
  const forged = Buffer.from(archive);
  const put = (text: string | undefined, offset: number, length: number) => {
    if (text !== undefined) forged.fill(0, offset, offset + length).write(text, offset, 'latin1');
  };
  put(fields.name, 0, 100);
  put(fields.size, 124, 12);
  put(fields.type, 156, 1);
  put(fields.link, 157, 100);
  forged.write('        ', 148);
  const sum = forged.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  forged.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return forged;
}

/** One archive from the entries of several. */
function join(...archives: Uint8Array[]): Buffer {
  const end = Buffer.alloc(1_024);
  return Buffer.concat([...archives.map((archive) => archive.subarray(0, archive.length - 1_024)), end]);
}

/** A pax header that sets a field of the entry after it. */
function pax(record: string): Buffer {
  return forge(createTar([{ path: 'pax', data: bytes(record) }]).archive, { type: 'x' });
}

function refusal(archive: Uint8Array, limits = LIMITS): string {
  try {
    read(archive, limits);
  } catch (error) {
    if (error instanceof TarError) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

test('a tree is read back as it was written, with its executable bits', () => {
  const { archive } = createTar([
    { path: 'b/c.yaml', data: bytes('c') },
    { path: 'a.sh', data: bytes('run'), executable: true },
    { path: 'empty', data: bytes('') },
  ]);
  expect(read(archive).map(({ path, data, executable }) => [path, String(data), executable])).toEqual([
    ['a.sh', 'run', true],
    ['b/c.yaml', 'c', false],
    ['empty', '', false],
  ]);
});

test('equal trees give equal bytes, in whatever order their files come', () => {
  const files = ['z', 'a', 'm/n', 'ä/ö.yaml'].map((path) => ({ path, data: bytes(path) }));
  expect(createTar(files).archive).toEqual(createTar(files.toReversed()).archive);
});

test('the index holds the digest of every file', () => {
  const { index } = createTar([
    { path: 'a', data: bytes('1') },
    { path: '__proto__', data: bytes('2') },
  ]);
  expect(Object.entries(index)).toEqual([
    ['__proto__', sha256('2')],
    ['a', sha256('1')],
  ]);
});

test('any tree survives the way through an archive', () => {
  const part = fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }).filter((text) => {
    return !/[\\/\0]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed();
  });
  const path = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
  const file = fc.record({ path, data: fc.uint8Array({ maxLength: 2_000 }), executable: fc.boolean() });
  const tree = fc.uniqueArray(file, { selector: (entry) => entry.path, maxLength: 20 }).filter((files) => {
    return !files.some((one) => files.some((other) => other.path.startsWith(`${one.path}/`)));
  });
  fc.assert(
    fc.property(tree, (files) => {
      const back = read(createTar(files).archive);
      const plain = (entries: readonly TreeFile[]) =>
        entries
          .map((entry) => ({ ...entry, data: Buffer.from(entry.data).toString('hex') }))
          .sort((a, b) => (a.path < b.path ? -1 : 1));
      expect(plain(back)).toEqual(plain(files));
    }),
  );
});

test('the system tar unpacks what was written, long and foreign names included', async () => {
  const { path: directory, remove } = await temporaryDirectory();
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.yaml`;
  const { archive } = createTar([
    { path: long, data: bytes('long') },
    { path: 'ünï/çödé.yaml', data: bytes('foreign') },
  ]);
  const { code, stderr } = await run('tar', ['-xf', '-', '-C', directory], { stdin: archive });
  expect([code, stderr]).toEqual([0, '']);
  const { stdout } = await run('cat', [`${directory}/${long}`, `${directory}/ünï/çödé.yaml`]);
  expect(String(stdout)).toBe('longforeign');
  await remove();
});

test.each(['gnu', 'pax', 'ustar', 'v7'])(
  'archives of the system tar in %s format are read',
  async (format) => {
    const { path: directory, remove } = await temporaryDirectory();
    const long = format === 'v7' || format === 'ustar' ? 'short' : `${'x'.repeat(120)}/${'y'.repeat(120)}`;
    const script = `mkdir -p "$(dirname ${long})" && printf 1 > ${long} && tar --format=${format} -cf - .`;
    const { stdout } = await run('sh', ['-c', script], { cwd: directory });
    expect(read(stdout).map(({ path }) => path)).toEqual([long]);
    await remove();
  },
);

test('a file of another size than announced is noticed', () => {
  const writer = createTarWriter([{ path: 'a', size: 3, executable: false }]);
  expect(() => writer.write(0, bytes('four'))).toThrow(TarError);
  writer.write(0, bytes('12'));
  expect(() => writer.finish()).toThrow('1 bytes short');
});

test.each([
  [['a', 'a'], 'twice'],
  [['a', 'a/b'], 'both a file and a directory'],
  [['a', 'a-', 'a/b'], 'both a file and a directory'],
  [['../a'], 'leads out'],
  [['/a'], 'absolute'],
  [['a//b'], 'plain path'],
  [['a/./b'], 'plain path'],
  [[''], 'empty'],
])('a tree of %j is not written', (paths, message) => {
  expect(() => createTar(paths.map((path) => ({ path, data: bytes('') })))).toThrow(message);
});

const ONE = createTar([{ path: 'file', data: bytes('data') }]).archive;

test.each([
  ['../evil', 'leads out'],
  ['a/../../evil', 'leads out'],
  ['a/..', 'leads out'],
  ['/etc/passwd', 'absolute'],
  ['a\\..\\evil', 'backslash'],
  ['a//evil', 'plain path'],
])('the name %s is refused', (name, message) => {
  expect(refusal(forge(ONE, { name }))).toContain(message);
});

test.each([
  ['1', 'a hard link'],
  ['2', 'a symbolic link'],
  ['3', 'a character device'],
  ['4', 'a block device'],
  ['6', 'a pipe'],
  ['S', 'a sparse file'],
])('an entry of type %s (%s) is refused', (type) => {
  expect(refusal(forge(ONE, { type, link: 'target' }))).toMatch(/link|no regular file/);
});

test('links can be left out instead, and then do not count as names', () => {
  const link = forge(createTar([{ path: 'file', data: bytes('') }]).archive, {
    type: '2',
    link: '/etc/passwd',
  });
  const files = read(join(link, ONE), { ...LIMITS, links: 'skip' });
  expect(files.map(({ path, data }) => [path, String(data)])).toEqual([['file', 'data']]);
});

test('a path that an extended header sets is checked as well', () => {
  expect(refusal(join(pax('16 path=../evil\n'), ONE))).toContain('leads out');
  expect(refusal(join(pax('21 path=/etc/passwd1\n'), ONE))).toContain('absolute');
});

test('a name that GNU writes apart is checked as well, and a header for all entries names none', () => {
  const apart = (type: string, text: string) =>
    forge(createTar([{ path: 'name', data: bytes(text) }]).archive, { type });
  expect(refusal(join(apart('L', '../evil\0'), ONE))).toContain('leads out');
  expect(refusal(join(apart('L', '/etc/passwd\0'), ONE))).toContain('absolute');
  expect(read(join(apart('g', '16 path=../evil\n'), ONE)).map(({ path }) => path)).toEqual(['file']);
});

test('nothing is written through links, however they are chained', () => {
  const link = (name: string, type: string, to: string) =>
    forge(createTar([{ path: 'file', data: bytes('') }]).archive, { name, type, link: to });
  const chained = [
    [link('dir', '2', '/etc'), forge(ONE, { name: 'dir/passwd' })],
    [link('a', '2', '.'), link('a/b', '1', '../../etc/passwd'), forge(ONE, { name: 'a/b' })],
    [forge(ONE, { name: 'plain' }), link('hard', '1', 'plain'), forge(ONE, { name: 'hard' })],
    [join(pax('24 linkpath=/etc/passwd\n'), link('c', '2', 'inside')), forge(ONE, { name: 'c' })],
  ];
  for (const entries of chained) {
    expect(refusal(join(...entries))).toContain('is a link');
    // Where they are left out, what is below them is a path of the tree like any other.
    for (const { path, data } of read(join(...entries), { ...LIMITS, links: 'skip' }))
      expect([path, String(data)]).toEqual([expect.not.stringMatching(/^\/|\.\./), 'data']);
  }
});

test('of the mode only the executable bit of the owner is taken', () => {
  const setuid = Buffer.from(ONE);
  setuid.write('0006755\0', 100);
  const [entry] = read(forge(setuid, {}));
  expect(entry).toEqual({ path: 'file', data: bytes('data'), executable: true });
});

test('a size that an extended header sets cannot reach beyond the archive', () => {
  expect(refusal(join(pax('19 size=9999999999\n'), ONE))).toContain('cut off');
  expect(refusal(join(pax('11 size=-1\n'), ONE))).toContain('invalid size');
});

test('malformed extended headers are refused', () => {
  for (const record of ['path=x\n', '999 path=x\n', '0 path=x\n', '9 path=x', '8 pathx\n', '-5 path=x\n']) {
    expect(refusal(join(pax(record), ONE))).toContain('malformed extended header');
  }
});

test('duplicate names, and names that are both file and directory, are refused', () => {
  expect(refusal(join(ONE, ONE))).toContain('twice');
  expect(refusal(join(ONE, forge(ONE, { name: './file' })))).toContain('twice');
  expect(refusal(join(ONE, forge(ONE, { name: 'file/below' })))).toContain('both');
});

test('too many files, bytes and directories are refused', () => {
  const many = createTar(['1', '2', '3'].map((path) => ({ path, data: bytes('12345') }))).archive;
  expect(refusal(many, { ...LIMITS, maxFiles: 2 })).toContain('more than 2 files');
  expect(refusal(many, { ...LIMITS, maxBytes: 14 })).toContain('more than 14 bytes');
  expect(refusal(many, { ...LIMITS, maxFileBytes: 4 })).toContain('more than 4 bytes');
  const deep = createTar([{ path: `${'d/'.repeat(65)}f`, data: bytes('') }]).archive;
  expect(refusal(deep)).toContain('too deep');
});

test('nothing is yielded of an archive that turns bad at its end', () => {
  const reading = readTar(join(ONE, forge(ONE, { name: '../evil' })), LIMITS);
  expect(() => reading.next()).toThrow(TarError);
});

test('damaged and cut archives are refused, at every byte', () => {
  const { archive } = createTar([{ path: 'name', data: bytes('x'.repeat(600)) }]);
  for (let at = 0; at < 512; at += 1) {
    const damaged = Buffer.from(archive);
    damaged[at] = (damaged[at] ?? 0) ^ 0x15;
    const isChecksum = at >= 148 && at < 156;
    if (!isChecksum) expect(refusal(damaged)).toBeTruthy();
  }
  expect(refusal(archive.subarray(0, 900))).toContain('cut off');
  expect(refusal(bytes('x'.repeat(600)))).toBeTruthy();
});

test('random bytes never do anything but be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 4_096 }), (data) => {
      data[0] = 1;
      expect(() => read(data)).toThrow(TarError);
    }),
  );
});

test('gzip is unpacked up to a limit: a bomb is stopped', () => {
  expect(String(gunzip(gzipSync('hello'), 100))).toBe('hello');
  expect(() => gunzip(gzipSync(Buffer.alloc(1_000_000)), 100_000)).toThrow('more than 100000 bytes');
  expect(() => gunzip(bytes('no gzip'), 100)).toThrow('no valid gzip');
});
