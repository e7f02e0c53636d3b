import * as v from 'valibot';
import { normaliseRepository } from '../core/repository.ts';
import { jsonObject } from './json-object.ts';
import { PayloadError } from './payload-error.ts';

/** A full commit hash, SHA-1 or SHA-256; all zeros stand for "none". */
export const Hash = v.pipe(v.string(), v.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/i), v.toLowerCase());

/** A name or an id that is never empty. */
export const NonEmptyString = v.pipe(v.string(), v.nonEmpty());

/** The number of a pull request in its repository. */
export const PullRequestNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** A full ref name. */
export const Ref = v.pipe(v.string(), v.nonEmpty(), v.maxLength(1_024));

/** Text that may be left out or null. */
export const Text = v.nullish(v.string());

/** A person of a commit. */
export const Person = v.nullish(jsonObject({ name: Text, email: Text, username: Text }));
export type Person = v.InferOutput<typeof Person>;

/** Whether a hash stands for "none". */
export function isZero(hash: string): boolean {
  return /^0+$/.test(hash);
}

/** Whether a ref is a branch or a tag; others (notes, pull requests) deploy nothing. */
export function isDeployable(ref: string): boolean {
  return /^refs\/(heads|tags)\/./.test(ref);
}

/** `Name <email>`, or whichever part is known; undefined for nobody. */
export function personText(person: Person): string | undefined {
  const name = person?.name || person?.username || '';
  const email = person?.email || '';
  const text = name !== '' && email !== '' ? `${name} <${email}>` : name || email;
  return text === '' ? undefined : oneLine(text);
}

/** A web page's address; undefined for anything else. */
export function pageUrl(url: string | null | undefined): string | undefined {
  return url && url.length <= 2_000 && /^https?:\/\/[^\s"'<>\\]+$/.test(url) ? url : undefined;
}

/** One line of at most 200 characters. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

/**
 * Normalises the clone URLs of a payload.
 * @throws PayloadError when none of them is one
 */
export function repositoriesOf(urls: readonly (string | null | undefined)[]): string[] {
  const found = urls.flatMap((url) => (url ? (normaliseRepository(url) ?? []) : []));
  if (found.length === 0) throw new PayloadError('the payload names no repository by a URL');
  return [...new Set(found)];
}

/** Leaves out members that are undefined, as exact optional properties want it. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
