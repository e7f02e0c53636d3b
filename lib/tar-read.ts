import { gunzipSync } from 'node:zlib';
import { directoryAmong, faultOfPath, TarError } from './tar-path.ts';
import type { TreeFile } from './tar-write.ts';

const BLOCK = 512;
/** An extended header holds a path and little else. */
const MAX_HEADER = 64 * 1024;

/** Bounds of what is read; they are checked before anything is taken. */
export interface TarLimits {
  maxFiles: number;
  /** Of all files together, in bytes. */
  maxBytes: number;
  /** Of one file, in bytes. Default: `maxBytes`. */
  maxFileBytes?: number;
  /** Directories above a file. Default: 64. */
  maxDepth?: number;
  /** What to do with symbolic and hard links. Default: refuse the archive. */
  links?: 'refuse' | 'skip';
}

/**
 * Reads the files of an uncompressed tar (ustar, with the extended headers of pax and GNU), without touching a disk. Refused
 * are: names that lead out of the tree or come twice, files that are also directories, links, devices, wrong checksums, and
 * whatever is over the limits. Nothing is yielded before the whole archive was looked through.
 * @returns files in the archive's order; their bytes are views of `bytes`, not copies
 * @throws {TarError}
 */
export function* readTar(bytes: Uint8Array, limits: TarLimits): Generator<Required<TreeFile>> {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: Required<TreeFile>[] = [];
  const names = new Set<string>();
  const budget = { files: limits.maxFiles, bytes: limits.maxBytes };
  for (const entry of entriesOf(archive)) {
    if (entry.type === '5') {
      checkPath(entry.path.replace(/\/+$/, '') || '.', limits, true);
      continue;
    }
    if (entry.type === '1' || entry.type === '2') {
      if (limits.links === 'skip') continue;
      throw new TarError(`${shown(entry.path)} is a link, which is not allowed`);
    }
    if (entry.type !== '0' && entry.type !== '\0' && entry.type !== '7') {
      throw new TarError(`${shown(entry.path)} is no regular file (type ${JSON.stringify(entry.type)})`);
    }
    const path = checkPath(entry.path, limits, false);
    if (names.has(path)) throw new TarError(`${path} is there twice`);
    names.add(path);
    budget.files -= 1;
    budget.bytes -= entry.data.length;
    if (budget.files < 0) throw new TarError(`it has more than ${limits.maxFiles} files`);
    if (budget.bytes < 0) throw new TarError(`its files have more than ${limits.maxBytes} bytes`);
    if (entry.data.length > (limits.maxFileBytes ?? limits.maxBytes)) {
      throw new TarError(`${path} has more than ${limits.maxFileBytes} bytes`);
    }
    files.push({ path, data: entry.data, executable: (entry.mode & 0o100) !== 0 });
  }
  const both = directoryAmong(names);
  if (both !== undefined) throw new TarError(`${both} is both a file and a directory`);
  yield* files;
}

/** Unpacks gzip. @throws {TarError} when it is none, or holds more than `maxBytes` */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TarError(`it unpacks to more than ${maxBytes} bytes`);
    }
    throw new TarError('it is no valid gzip');
  }
}

interface Entry {
  path: string;
  type: string;
  mode: number;
  data: Buffer;
}

/** The entries with their names made up from headers, extended headers and GNU's long names. */
function* entriesOf(archive: Buffer): Generator<Entry> {
  let longName: string | undefined;
  let extended: Map<string, string> | undefined;
  let position = 0;
  while (position + BLOCK <= archive.length) {
    const header = archive.subarray(position, position + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    verifyChecksum(header);
    const type = header.toString('latin1', 156, 157);
    const isMeta = 'xgLK'.includes(type);
    const size = sizeOf(header, isMeta ? undefined : extended);
    const start = position + BLOCK;
    if (size > archive.length - start) throw new TarError('it is cut off');
    const data = archive.subarray(start, start + size);
    position = start + Math.ceil(size / BLOCK) * BLOCK;
    if (isMeta) {
      if (size > MAX_HEADER) throw new TarError('it has an extended header that is too long');
      if (type === 'x') extended = parseRecords(data);
      if (type === 'L') longName = data.toString('utf8').replace(/\0.*$/s, '');
      continue;
    }
    const path = extended?.get('path') ?? longName ?? nameOf(header);
    yield { path, type, mode: octal(header, 100, 8), data };
    longName = undefined;
    extended = undefined;
  }
  if (position < archive.length && archive.subarray(position).some((byte) => byte !== 0)) {
    throw new TarError('it is cut off');
  }
}

function checkPath(path: string, limits: TarLimits, isDirectory: boolean): string {
  const plain = path.replace(/^(\.\/+)+/, '');
  if (isDirectory && (plain === '.' || plain === '')) return '';
  const fault = faultOfPath(plain) ?? (plain.includes('\\') ? 'contains a backslash' : undefined);
  if (fault !== undefined) throw new TarError(`${shown(path)} ${fault}`);
  const depth = plain.split('/').length - 1;
  if (depth > (limits.maxDepth ?? 64)) throw new TarError(`${shown(path)} lies too deep`);
  return plain;
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100);
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header, 345, 155) : '';
  // GNU's own format ends in two blanks and keeps times where ustar has the prefix.
  return prefix === '' || header[263] === 0x20 ? name : `${prefix}/${name}`;
}

function sizeOf(header: Buffer, extended: ReadonlyMap<string, string> | undefined): number {
  const given = extended?.get('size');
  if (given === undefined) return octal(header, 124, 12);
  if (!/^\d{1,15}$/.test(given)) throw new TarError('it has an invalid size');
  return Number(given);
}

function octal(header: Buffer, offset: number, length: number): number {
  // A set high bit means a binary number, which only sizes from 8 GiB on need.
  if (((header[offset] ?? 0) & 0x80) !== 0) throw new TarError('it has a file of 8 GiB or more');
  const digits = text(header, offset, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarError('it has an invalid number in a header');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function verifyChecksum(header: Buffer): void {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  if (octal(header, 148, 8) !== sum) throw new TarError('it is no tar, or it is damaged');
}

/** `<length> <key>=<value>\n`, the length counting the whole record. */
function parseRecords(data: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, space < 0 ? at : space));
    const record = data.toString('utf8', space + 1, at + length);
    const equals = record.indexOf('=');
    const valid = Number.isInteger(length) && length > 0 && at + length <= data.length && equals > 0;
    if (space < 0 || !valid || !record.endsWith('\n'))
      throw new TarError('it has a malformed extended header');
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return records;
}
