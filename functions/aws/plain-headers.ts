/** A name as HTTP allows it. https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What ends a header, or has no place in one. */
const FORBIDDEN = /[\0\r\n]|[^\0-\xff]/;

type Pairs = Iterable<readonly [string, string]>;

/**
 * The `Headers` of fetch, as far as webhooks use them. See plain-message.ts for why there are any.
 * It refuses what the platform's refuse, with a TypeError that holds no value.
 */
export class PlainHeaders {
  readonly #values = new Map<string, string[]>();

  constructor(init?: Pairs | Readonly<Record<string, string>> | null) {
    if (!init) return;
    const pairs = Symbol.iterator in init ? (init as Pairs) : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const key = keyOf(name);
    const clean = cleanValue(name, value);
    const known = this.#values.get(key);
    if (known) known.push(clean);
    else this.#values.set(key, [clean]);
  }

  set(name: string, value: string): void {
    this.#values.set(keyOf(name), [cleanValue(name, value)]);
  }

  get(name: string): string | null {
    return this.#values.get(keyOf(name))?.join(', ') ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(keyOf(name));
  }

  delete(name: string): void {
    this.#values.delete(keyOf(name));
  }

  getSetCookie(): string[] {
    return [...(this.#values.get('set-cookie') ?? [])];
  }

  forEach(visit: (value: string, name: string, headers: PlainHeaders) => void): void {
    for (const [name, value] of this) visit(value, name, this);
  }

  /** By name; cookies one by one, since they cannot be joined. */
  *[Symbol.iterator](): Generator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name) ?? [];
      if (name === 'set-cookie') for (const value of values) yield [name, value];
      else yield [name, values.join(', ')];
    }
  }

  entries(): Generator<[string, string]> {
    return this[Symbol.iterator]();
  }

  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this) yield value;
  }
}

function keyOf(name: string): string {
  if (!NAME.test(name)) throw new TypeError('a header has a name that is none');
  return name.toLowerCase();
}

function cleanValue(name: string, value: string): string {
  const clean = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (FORBIDDEN.test(clean)) throw new TypeError(`the header ${name} has a value that none may have`);
  return clean;
}
