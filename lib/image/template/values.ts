import { TemplateError } from './template-error.ts';

/** What templates work with: Go's values, as far as commit messages have them. */
export type Value = string | number | boolean | null | undefined | Value[] | GoMap | GoStruct;

/** A map with any keys, ranged over in the order of its keys. */
export class GoMap {
  readonly #entries: [Value, Value][] = [];

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.length;
  }

  get(key: Value): Value {
    return this.#entries.find(([known]) => known === key)?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.some(([known]) => known === key);
  }

  set(key: Value, value: Value): this {
    const found = this.#entries.find(([known]) => known === key);
    if (found) found[1] = value;
    else this.#entries.push([key, value]);
    return this;
  }

  delete(key: Value): void {
    const at = this.#entries.findIndex(([known]) => known === key);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  /** Sorted as Go's templates sort them. */
  sorted(): [Value, Value][] {
    return this.#entries.toSorted(([a], [b]) => compareKeys(a, b));
  }
}

/** A struct: fields in order, and methods without arguments. */
export class GoStruct {
  /** As error messages call it. */
  readonly type: string;
  readonly fields: ReadonlyMap<string, Value>;
  readonly #methods: Readonly<Record<string, () => Value>>;

  constructor(type: string, fields: Record<string, Value>, methods: Record<string, () => Value> = {}) {
    this.type = type;
    this.fields = new Map(Object.entries(fields));
    this.#methods = methods;
  }

  /** A field or what a method gives. @throws TemplateError when there is neither */
  get(name: string): Value {
    if (this.fields.has(name)) return this.fields.get(name);
    if (Object.hasOwn(this.#methods, name)) return this.#methods[name]?.();
    throw new TemplateError(`can't evaluate field ${name} in type ${this.type}`, name);
  }

  /** What its `String` method says; undefined when it has none. */
  text(): string | undefined {
    const value = Object.hasOwn(this.#methods, 'String') ? this.#methods.String?.() : undefined;
    return typeof value === 'string' ? value : undefined;
  }
}

function compareKeys(a: Value, b: Value): number {
  if (a instanceof GoStruct && b instanceof GoStruct) {
    const [left, right] = [[...a.fields.values()], [...b.fields.values()]];
    for (const [index, value] of left.entries()) {
      const order = compareKeys(value, right[index]);
      if (order !== 0) return order;
    }
    return 0;
  }
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareText(String(a), String(b));
}

/** Go compares bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether a value counts as true: not its type's zero. */
export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof GoMap) return value.size > 0;
  if (value instanceof GoStruct) return true;
  return Boolean(value);
}

/** A value as `{{ . }}` and `%v` print it. */
export function show(value: Value, inside = false): string {
  if (value === null || value === undefined) return inside || value === null ? '<nil>' : '<no value>';
  if (Array.isArray(value)) return `[${value.map((item) => show(item, true)).join(' ')}]`;
  if (value instanceof GoMap)
    return `map[${value
      .sorted()
      .map(([key, item]) => `${show(key, true)}:${show(item, true)}`)
      .join(' ')}]`;
  if (value instanceof GoStruct)
    return value.text() ?? `{${[...value.fields.values()].map((item) => show(item, true)).join(' ')}}`;
  return String(value);
}

/** What errors call a value's type. */
export function typeOf(value: Value): string {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return 'list';
  if (value instanceof GoMap) return 'map';
  if (value instanceof GoStruct) return value.type;
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return 'string';
}
