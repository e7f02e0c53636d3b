/**
 * Secrets that a test plants, and the search for them in what Slipway leaves behind.
 *
 *     const canaries = new Canaries();
 *     const password = canaries.plant('password of a Git URL');
 *     expect(canaries.foundIn(logText)).toEqual([]);
 */
import { randomBytes } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

export class Canaries {
  readonly #forms: { name: string; forms: Buffer[] }[] = [];

  /** Makes a secret that can be told from any other text. */
  plant(name: string): string {
    const secret = `canary-${randomBytes(9).toString('hex')}`;
    this.know(name, secret);
    return secret;
  }

  /** Looks for this text, too. */
  know(name: string, secret: string): void {
    this.#forms.push({ name, forms: formsOf(secret).map((form) => Buffer.from(form)) });
  }

  /** The names of the secrets that stand in a text: as they are, in base64 at any offset, or escaped for JSON or URLs. */
  foundIn(content: string | Uint8Array): string[] {
    const bytes = Buffer.from(content);
    return this.#forms
      .filter(({ forms }) => forms.some((form) => bytes.includes(form)))
      .map(({ name }) => name);
  }

  /** The same over all files of a directory: `<file>: <name>`. @param skip files that may hold secrets */
  foundUnder(directory: string, skip: (path: string) => boolean = () => false): string[] {
    const found: string[] = [];
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (skip(path)) continue;
      if (this.foundIn(entry.name).length > 0) found.push(`name of ${path}`);
      if (entry.isDirectory()) found.push(...this.foundUnder(path, skip));
      else if (entry.isFile()) found.push(...this.foundIn(readOr(path)).map((name) => `${path}: ${name}`));
    }
    return found;
  }
}

/**
 * Collects arguments and environment of all processes below this one until it is stopped.
 * @returns stops it; answers every text that was seen
 */
export function watchChildren(everyMs = 15): () => string[] {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of descendantsOf(process.pid))
      for (const part of ['cmdline', 'environ']) seen.add(readOr(`/proc/${pid}/${part}`).toString('latin1'));
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    return [...seen];
  };
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of entriesOf('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // The name of the program stands in brackets and may hold anything; state and parent follow it.
    const parent = Number(readOr(`/proc/${name}/stat`).toString('latin1').split(') ').at(-1)?.split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all: number[] = [];
  for (let next = children.get(root) ?? []; next.length > 0; ) {
    all.push(...next);
    next = next.flatMap((pid) => children.get(pid) ?? []);
  }
  return all;
}

function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const inBase64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + secret).toString('base64');
    return encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + secret.length) * 4) / 3));
  });
  const twice = JSON.stringify(json).slice(1, -1);
  return [...new Set([secret, json, twice, encodeURIComponent(secret), ...inBase64])];
}

/** What vanishes while we look was not left behind. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
