/** Lines shorter than this are too common to be removed from a message. */
const MIN_LINE = 8;

/**
 * All values that a Secret, or a patch to one, carries: encoded, decoded, and line by line, since a server may quote any
 * of these.
 */
export function secretValues(body: unknown): string[] {
  const encoded: string[] = [];
  const plain: string[] = [];
  for (const part of Array.isArray(body) ? body : [body]) {
    if (part === null || typeof part !== 'object') continue;
    const { data, stringData, value } = part as Record<string, unknown>;
    collect(data, encoded);
    collect(value, encoded);
    collect(stringData, plain);
  }
  for (const text of encoded) plain.push(text, Buffer.from(text, 'base64').toString('utf8'));
  const lines = plain
    .filter((text) => text.includes('\n'))
    .flatMap((text) => text.split(/\r?\n/).filter((line) => line.length >= MIN_LINE));
  return [...plain, ...lines];
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'number') into.push(String(value));
  else if (value !== null && typeof value === 'object') {
    for (const member of Object.values(value)) collect(member, into);
  }
}
