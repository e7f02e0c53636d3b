import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Push } from '../../lib/receive/receiver.ts';

/** Commits. */
export const A = 'a'.repeat(40);
export const B = 'b'.repeat(40);
export const C = 'c'.repeat(40);
export const ZERO = '0'.repeat(40);

/** A payload of `test/fixtures/webhooks`, such as `gitea/push`. */
export function fixture(path: string): Record<string, unknown> {
  const file = join(import.meta.dirname, '../fixtures/webhooks', `${path}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** A payload with some members replaced. */
export function changed(path: string, changes: Record<string, unknown>): Record<string, unknown> {
  return { ...fixture(path), ...changes };
}

/** The HMAC by which most providers sign, in hex. */
export function hmac(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** Who made the newest commit of a push of GitHub or Gitea. */
export function personsOf(
  payload: Record<string, unknown>,
): Pick<Push, 'author' | 'committer' | 'commitUrl'> {
  const head = payload.head_commit as { url: string; author: Person; committer: Person };
  return {
    author: `${head.author.name} <${head.author.email}>`,
    committer: `${head.committer.name} <${head.committer.email}>`,
    commitUrl: head.url,
  };
}

interface Person {
  name: string;
  email: string;
}
