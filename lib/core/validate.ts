import type { z } from 'zod';
import { suggest } from './suggest.ts';

/** What is wrong at one place of a value. */
export interface Problem {
  /** Keys and indexes from the top; ends with the unknown or missing key itself where there is one. */
  path: (string | number)[];
  /** What is wrong, without the path and without the value, which may be secret. */
  message: string;
  /** The key at the end of `path` is in the value, but has no place in the schema. */
  unknown: boolean;
}

/** The value as the schema understands it, with defaults, or all that is wrong with it. */
export type Validation<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

/** Checks a value against a schema and describes each problem in plain words. */
export function validate<S extends z.ZodType>(schema: S, value: unknown): Validation<z.output<S>> {
  const knownKeys = new Map<string, string[]>();
  const result = schema.safeParse(value, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys')
        knownKeys.set(formatPath(issue.path ?? []), shapeKeys(issue.inst));
      return wording(issue);
    },
  });
  if (result.success) return { ok: true, value: result.data };
  const seen = new Set<string>();
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, knownKeys));
  // Checks that follow from a wrong type (a list is no string, and too short) would only repeat it.
  return { ok: false, problems: problems.filter(({ path }) => isNew(seen, formatPath(path))) };
}

/** `spec.images[0].name`; a key that is not a plain word is quoted: `labels["app.kubernetes.io/name"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(String(key))) text += `${text === '' ? '' : '.'}${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

function isNew(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function problemsOf(issue: z.core.$ZodIssue, knownKeys: ReadonlyMap<string, string[]>): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message, unknown: false }];
  const known = knownKeys.get(formatPath(path)) ?? [];
  return issue.keys.map((key) => {
    const meant = suggest(key, known);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    return { path: [...path, key], message: `unknown field${hint}`, unknown: true };
  });
}

function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type')
    return issue.input === undefined
      ? 'is required'
      : `must be ${article(issue.expected)}, not ${typeName(issue.input)}`;
  if (issue.code === 'invalid_value') return `must be ${alternatives(issue.values.map(String))}`;
  if (issue.code === 'too_small') return `must ${bound(issue.origin, 'at least', Number(issue.minimum))}`;
  if (issue.code === 'too_big') return `must ${bound(issue.origin, 'at most', Number(issue.maximum))}`;
  return undefined;
}

function alternatives(values: readonly string[]): string {
  return values.length > 1 ? `${values.slice(0, -1).join(', ')} or ${values.at(-1)}` : (values[0] ?? '');
}

function bound(origin: string, limit: string, count: number): string {
  if (origin === 'string') return `have ${limit} ${count} character${count === 1 ? '' : 's'}`;
  if (origin === 'array') return `have ${limit} ${count} item${count === 1 ? '' : 's'}`;
  return `be ${limit} ${count}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function article(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function typeName(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return TYPE_NAMES[typeof value] ?? typeof value;
}

function shapeKeys(schema: unknown): string[] {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return Object.keys(shape ?? {});
}
