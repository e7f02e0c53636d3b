/**
 * What payloads have to look like, said as zod says it and read as zod reads it. It is not zod itself because of what that costs at the cold start of
 * a function: loading it and making the schemas of all senders was a quarter. test/unit/receive/shape.test.ts compares the two.
 */

/** A value is not as it has to be. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  /** Leads to the first place that is wrong: `commits.0.id`; empty for the value itself. */
  readonly path: string;

  constructor(path: string) {
    super(`the value is not as expected${path === '' ? '' : ` at ${path}`}`);
    this.path = path;
  }
}

type Read<T> = (value: unknown, path: string) => T;

/** What a value has to look like. */
export class Shape<T> {
  /**
   * Reads a value. Nothing is converted, and members that an object is not asked for are left out.
   * @param path where the value stands
   * @throws ShapeError
   */
  readonly parse: (value: unknown, path?: string) => T;

  constructor(read: Read<T>) {
    this.parse = (value, path = '') => read(value, path);
  }

  optional(): Shape<T | undefined> {
    return new Shape((value, path) => (value === undefined ? value : this.parse(value, path)));
  }

  nullable(): Shape<T | null> {
    return new Shape((value, path) => (value === null ? value : this.parse(value, path)));
  }

  nullish(): Shape<T | null | undefined> {
    return this.nullable().optional();
  }

  refine(holds: (value: T) => boolean): Shape<T> {
    return this.transform((value, path) => (holds(value) ? value : fail(path)));
  }

  transform<U>(change: (value: T, path: string) => U): Shape<U> {
    return new Shape((value, path) => change(this.parse(value, path), path));
  }
}

/** What comes of reading a value by a shape. */
export type output<S> = S extends Shape<infer T> ? T : never;

class Text extends Shape<string> {
  min(length: number): Text {
    return this.where((text) => text.length >= length);
  }

  max(length: number): Text {
    return this.where((text) => text.length <= length);
  }

  regex(pattern: RegExp): Text {
    return this.where((text) => pattern.test(text));
  }

  private where(holds: (text: string) => boolean): Text {
    return new Text(this.refine(holds).parse);
  }
}

type Members = Readonly<Record<string, Shape<unknown>>>;

/** An object; what may be undefined may be left out. */
type Whole<M extends Members> = {
  [K in keyof M as undefined extends output<M[K]> ? never : K]: output<M[K]>;
} & {
  [K in keyof M as undefined extends output<M[K]> ? K : never]?: output<M[K]>;
};

export function string(): Text {
  return new Text((value, path) => (typeof value === 'string' ? value : fail(path)));
}

export function boolean(): Shape<boolean> {
  return new Shape((value, path) => (typeof value === 'boolean' ? value : fail(path)));
}

/** A whole number above zero that a double holds exactly. */
export function count(): Shape<number> {
  return new Shape((value, path) =>
    Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : fail(path),
  );
}

export function unknown(): Shape<unknown> {
  return new Shape((value) => value);
}

/** One of some texts. */
export function oneOf<const T extends string>(...texts: readonly T[]): Shape<T> {
  return new Shape((value, path) => texts.find((text) => text === value) ?? fail(path));
}

/** A list of bounded length. */
export function array<T>(items: Shape<T>, { min = 0, max = Number.POSITIVE_INFINITY } = {}): Shape<T[]> {
  return new Shape((value, path) =>
    Array.isArray(value) && value.length >= min && value.length <= max
      ? value.map((item, index) => items.parse(item, join(path, index)))
      : fail(path),
  );
}

/** An object with any members. */
export function record(): Shape<Record<string, unknown>> {
  return new Shape((value, path) => (isObject(value) ? { ...value } : fail(path)));
}

/** An object with certain members. */
export function object<const M extends Members>(members: M): Shape<Whole<M>> {
  const entries = Object.entries(members);
  return new Shape((value, path) => {
    if (!isObject(value)) return fail(path);
    const whole: Record<string, unknown> = {};
    for (const [key, member] of entries) {
      const read = member.parse(Object.hasOwn(value, key) ? value[key] : undefined, join(path, key));
      if (read !== undefined || Object.hasOwn(value, key)) whole[key] = read;
    }
    return whole as Whole<M>;
  });
}

/** What the first of two shapes fits, or else the second. */
export function either<T, U>(first: Shape<T>, second: Shape<U>): Shape<T | U> {
  return new Shape<T | U>((value, path) => {
    try {
      return first.parse(value, path);
    } catch (error) {
      if (error instanceof ShapeError) return second.parse(value, path);
      throw error;
    }
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

function fail(path: string): never {
  throw new ShapeError(path);
}
