import { createHash } from 'node:crypto';
import type { TreeIndex } from './core/tree.ts';
import { directoryAmong, faultOfPath, TarError } from './tar-path.ts';

const BLOCK = 512;
const MAX_NAME = 100;
const MAX_PREFIX = 155;
/** The largest size that fits the twelve octal digits of a header. */
const MAX_SIZE = 0o77777777777;

/** A file of a tree. */
export interface TreeFile {
  /** Relative, `/`-separated. */
  path: string;
  data: Uint8Array;
  executable?: boolean;
}

/** What is known of a file before its bytes come. */
export interface TarEntry {
  path: string;
  size: number;
  executable: boolean;
}

/** An archive with its index. */
export interface Tar {
  archive: Uint8Array;
  index: TreeIndex;
}

/**
 * An uncompressed tar of a tree. Equal trees give equal bytes: names are sorted, times are zero, modes are 0644 or 0755.
 * Paths that cannot stand in a tree (`..`, absolute, twice, both file and directory) throw a {@link TarError}.
 */
export function createTar(files: readonly TreeFile[]): Tar {
  const sorted = files.toSorted((a, b) => compare(a.path, b.path));
  const writer = createTarWriter(
    sorted.map(({ path, data, executable }) => ({
      path,
      size: data.length,
      executable: executable ?? false,
    })),
  );
  for (const [index, { data }] of sorted.entries()) writer.write(index, data);
  return writer.finish();
}

/** Fills an archive file by file, without holding any file twice. */
export interface TarWriter {
  /** Appends bytes to the entry of that number; entries are filled one after the other, each completely. */
  write(entry: number, chunk: Uint8Array): void;
  /** The archive. Throws when an entry is incomplete. */
  finish(): Tar;
}

/**
 * Lays out an archive whose sizes are known, so that it is allocated once.
 * @param entries sorted by path (UTF-16 code units, as `Array.prototype.sort` does)
 */
export function createTarWriter(entries: readonly TarEntry[]): TarWriter {
  checkEntries(entries);
  const total = entries.reduce((sum, entry) => sum + headerSize(entry) + padded(entry.size), 2 * BLOCK);
  const archive = Buffer.alloc(total);
  // Without a prototype, so that a file may be called __proto__.
  const index: TreeIndex = Object.create(null);
  let position = 0;
  let current = -1;
  let left = 0;
  let hash = createHash('sha256');

  function close(): void {
    if (left > 0) throw new TarError(`${entries[current]?.path ?? ''} is ${left} bytes short`);
    const entry = entries[current];
    if (!entry) return;
    index[entry.path] = `sha256:${hash.digest('hex')}`;
    position += padded(entry.size) - entry.size;
  }

  function advance(to: number): void {
    while (current < to) {
      close();
      current += 1;
      const entry = entries[current];
      if (!entry) return;
      position += writeHeader(archive, position, entry);
      left = entry.size;
      hash = createHash('sha256');
    }
  }

  return {
    write(entry, chunk) {
      advance(entry);
      if (chunk.length > left) throw new TarError(`${entries[entry]?.path ?? ''} is longer than announced`);
      archive.set(chunk, position);
      hash.update(chunk);
      position += chunk.length;
      left -= chunk.length;
    },
    finish() {
      advance(entries.length);
      return { archive, index };
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkEntries(entries: readonly TarEntry[]): void {
  const names = new Set<string>();
  let previous: string | undefined;
  for (const { path, size } of entries) {
    const fault = faultOfPath(path);
    if (fault !== undefined) throw new TarError(`${JSON.stringify(path)} ${fault}`);
    if (size > MAX_SIZE) throw new TarError(`${path} is larger than 8 GiB`);
    if (previous !== undefined && compare(previous, path) >= 0) throw new TarError(`${path} is there twice`);
    previous = path;
    names.add(path);
  }
  const both = directoryAmong(names);
  if (both !== undefined) throw new TarError(`${both} is both a file and a directory`);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** The record of an extended header: its own length, in decimal, stands in front. */
function paxRecord(path: string): Buffer {
  const rest = ` path=${path}\n`;
  const length = Buffer.byteLength(rest);
  let total = length + 1;
  while (String(total).length + length !== total) total = String(total).length + length;
  return Buffer.from(`${total}${rest}`);
}

/** Splits a path over the name and prefix fields; undefined when it does not fit or is not ASCII. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is meant
  if (!/^[\u0001-\u007f]*$/.test(path)) return undefined;
  if (path.length <= MAX_NAME) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - MAX_NAME - 1);
  if (slash < 1 || slash > MAX_PREFIX || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function headerSize({ path }: TarEntry): number {
  return splitPath(path) ? BLOCK : 2 * BLOCK + padded(paxRecord(path).length);
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 */
function writeHeader(archive: Buffer, position: number, entry: TarEntry): number {
  const mode = entry.executable ? 0o755 : 0o644;
  const split = splitPath(entry.path);
  if (split) {
    writeBlock(archive, position, { ...split, size: entry.size, mode, type: '0' });
    return BLOCK;
  }
  const record = paxRecord(entry.path);
  writeBlock(archive, position, {
    name: 'PaxHeader',
    prefix: '',
    size: record.length,
    mode: 0o644,
    type: 'x',
  });
  record.copy(archive, position + BLOCK);
  const next = position + BLOCK + padded(record.length);
  writeBlock(archive, next, { name: 'file', prefix: '', size: entry.size, mode, type: '0' });
  return next + BLOCK - position;
}

function writeBlock(
  archive: Buffer,
  position: number,
  header: { name: string; prefix: string; size: number; mode: number; type: string },
): void {
  const block = archive.subarray(position, position + BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(header.name, 0, 'latin1');
  block.write(octal(header.mode, 8), 100, 'latin1');
  block.write(octal(0, 8), 108, 'latin1');
  block.write(octal(0, 8), 116, 'latin1');
  block.write(octal(header.size, 12), 124, 'latin1');
  block.write(octal(0, 12), 136, 'latin1');
  block.write('        ', 148, 'latin1');
  block.write(header.type, 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  block.write(header.prefix, 345, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
