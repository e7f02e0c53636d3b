import { anyText, listOf, mapOf, type TemplateFunction, textOf } from './arguments.ts';
import type { Budget } from './budget.ts';
import { TemplateError } from './template-error.ts';
import { GoMap, isTrue, type Value } from './values.ts';

/** Deeper values are no use in a message, and would take the stack. */
const MAX_DEPTH = 100;

/** Sprig's functions that look into maps and put them together. https://masterminds.github.io/sprig/dicts.html */
export function mapFunctions(budget: Budget): Readonly<Record<string, TemplateFunction>> {
  const copy = (value: Value, depth = 0): Value => {
    if (depth > MAX_DEPTH) throw new TemplateError('a value is nested too deeply');
    budget.text(1);
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    if (value instanceof GoMap)
      return new GoMap(value.sorted().map(([key, item]) => [key, copy(item, depth + 1)]));
    return value;
  };

  /** Fills what is missing in a map, or (`over`) overwrites what is there; maps within are merged the same way. */
  const merge = (into: GoMap, from: GoMap, over: boolean, depth = 0): GoMap => {
    if (depth > MAX_DEPTH) throw new TemplateError('a value is nested too deeply');
    for (const [key, value] of from.sorted()) {
      budget.text(1 + into.size);
      const known = into.get(key);
      if (known instanceof GoMap && value instanceof GoMap) merge(known, value, over, depth + 1);
      else if (over || !isTrue(known)) into.set(key, copy(value));
    }
    return into;
  };
  const merging =
    (over: boolean): TemplateFunction =>
    (into, ...others) =>
      others.reduce<GoMap>((map, other) => merge(map, mapOf(other), over), mapOf(into));

  const fromJson = (value: unknown, depth = 0): Value => {
    if (depth > MAX_DEPTH) throw new TemplateError('a value is nested too deeply');
    if (Array.isArray(value)) return value.map((item) => fromJson(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value as Value;
    const entries = Object.entries(value);
    budget.text(entries.length ** 2);
    return new GoMap(entries.map(([key, item]) => [key, fromJson(item, depth + 1)]));
  };
  const parsed = (text: string): Value => {
    budget.text(text.length);
    try {
      return fromJson(JSON.parse(text));
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      throw new TemplateError('fromJson got a text that is no JSON');
    }
  };

  return {
    pluck: (key, ...maps) =>
      maps.map(mapOf).flatMap((map) => (map.has(textOf(key)) ? [map.get(textOf(key))] : [])),
    merge: merging(false),
    mergeOverwrite: merging(true),
    deepCopy: (value) => copy(value),
    dig: (...args) => {
      if (args.length < 3) throw new TemplateError('dig needs a key, what to give without it, and a map');
      const [map, fallback] = [args.at(-1), args.at(-2)];
      let found: Value = map;
      for (const key of args.slice(0, -2)) {
        const within: GoMap = mapOf(found);
        if (!within.has(textOf(key))) return fallback;
        found = within.get(textOf(key));
      }
      return found;
    },
    // Without `must` it gives nothing for what is no JSON.
    fromJson: (text) => (isJson(textOf(text)) ? parsed(textOf(text)) : null),
    mustFromJson: (text) => parsed(textOf(text)),
    chunk: (size, list) => {
      const [count, items] = [Number(anyText(size)), listOf(list)];
      if (!Number.isInteger(count) || count < 1) throw new TemplateError('chunk needs a size of at least 1');
      budget.text(items.length);
      const starts = Array.from({ length: Math.ceil(items.length / count) }, (_, index) => index * count);
      return starts.map((start) => items.slice(start, start + count));
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
