import type { Row } from './table.ts';

/** DynamoDB's item limit is 400 KB with its keys; this leaves room for them. In bytes of JSON in UTF-8. */
export const MAX_VALUE_BYTES = 390_000;

const MAX_PARTITION_BYTES = 1_900;
const MAX_SORT_BYTES = 1_024;

/** Sorts after every key that {@link checkKey} lets pass. */
export const LAST = '\u{10ffff}';

/**
 * Refuses keys that one of the implementations could not keep or would order differently.
 * @throws Error naming the key
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export function checkKey({ partition, sort }: Pick<Row, 'partition' | 'sort'>): void {
  checkText('partition', partition, MAX_PARTITION_BYTES);
  checkText('sort', sort, MAX_SORT_BYTES);
}

function checkText(name: string, text: string, limit: number): void {
  const problem = problemOf(text, limit);
  if (problem) throw new Error(`The ${name} key ${JSON.stringify(text.slice(0, 200))} ${problem}.`);
}

function problemOf(text: string, limit: number): string | undefined {
  if (text === '') return 'is empty';
  if (text.includes('\0') || text.includes(LAST) || !text.isWellFormed())
    return 'holds a character not allowed in keys';
  const bytes = Buffer.byteLength(text);
  return bytes > limit ? `has ${bytes} bytes; at most ${limit} fit` : undefined;
}

/**
 * The JSON text of a value.
 * @throws Error when it is no JSON or larger than {@link MAX_VALUE_BYTES}
 */
export function encodeValue(partition: string, sort: string, value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new Error(`The value of row ${partition} ${sort} is not JSON.`);
  const bytes = text.length * 3 > MAX_VALUE_BYTES ? Buffer.byteLength(text) : 0;
  if (bytes > MAX_VALUE_BYTES) {
    throw new Error(
      `The value of row ${partition} ${sort} has ${bytes} bytes; at most ${MAX_VALUE_BYTES} fit: split it into several rows.`,
    );
  }
  return text;
}

/** The bounds that prefix, from and to make together: `from` inclusive, `to` exclusive or undefined. */
export function boundsOf({ prefix = '', from = '', to }: { prefix?: string; from?: string; to?: string }): {
  from: string;
  to: string | undefined;
} {
  const end = prefix === '' ? undefined : `${prefix}${LAST}`;
  return {
    from: compareKeys(prefix, from) > 0 ? prefix : from,
    to: to === undefined || (end !== undefined && compareKeys(end, to) < 0) ? end : to,
  };
}

/** Compares bytewise in UTF-8, as both databases do; JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
