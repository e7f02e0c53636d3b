import { parseRange, parseVersion } from '../../core/version-range.ts';
import { anyText, intOf, listOf, mapOf, numberOf, type TemplateFunction, textOf } from './arguments.ts';
import type { Budget } from './budget.ts';
import { toJson } from './format.ts';
import { TemplateError } from './template-error.ts';
import { GoMap, isTrue, show, typeOf, type Value } from './values.ts';

/** Longer lists are no use in a message. */
const MAX_COUNT = 10_000;

/** Sprig's functions on lists, maps, numbers and any values. https://masterminds.github.io/sprig/ */
export function valueFunctions(budget: Budget): Readonly<Record<string, TemplateFunction>> {
  const made = (list: Value[]): Value[] => {
    budget.text(list.length);
    return list;
  };
  return {
    list: (...args) => made(args),
    tuple: (...args) => made(args),
    first: (list) => listOf(list)[0],
    last: (list) => listOf(list).at(-1),
    rest: (list) => made(listOf(list).slice(1)),
    initial: (list) => made(listOf(list).slice(0, -1)),
    append: (list, item) => made([...listOf(list), item]),
    push: (list, item) => made([...listOf(list), item]),
    prepend: (list, item) => made([item, ...listOf(list)]),
    concat: (...lists) => made(lists.flatMap(listOf)),
    reverse: (list) => made(listOf(list).toReversed()),
    uniq: (list) => unique(listOf(list)),
    without: (list, ...gone) => listOf(list).filter((item) => !gone.some((one) => show(one) === show(item))),
    compact: (list) => listOf(list).filter(isTrue),
    has: (item, list) => listOf(list).some((one) => typeOf(one) === typeOf(item) && show(one) === show(item)),
    until: (count) => made(numbers(0, intOf(count), 1)),
    untilStep: (from, to, step) => made(numbers(intOf(from), intOf(to), intOf(step))),
    seq: (...args) => sequence(args.map(intOf)),
    dict: (...pairs) => {
      const map = new GoMap();
      for (let at = 0; at < pairs.length; at += 2) map.set(anyText(pairs[at]), pairs[at + 1] ?? '');
      return map;
    },
    get: (map, key) => mapOf(map).get(textOf(key)) ?? '',
    set: (map, key, value) => {
      budget.text(1);
      return mapOf(map).set(textOf(key), value);
    },
    unset: (map, key) => {
      mapOf(map).delete(textOf(key));
      return map;
    },
    hasKey: (map, key) => mapOf(map).has(textOf(key)),
    keys: (...maps) =>
      maps.flatMap((map) =>
        mapOf(map)
          .sorted()
          .map(([key]) => key),
      ),
    values: (map) =>
      mapOf(map)
        .sorted()
        .map(([, value]) => value),
    pick: (map, ...keys) =>
      new GoMap(
        mapOf(map)
          .sorted()
          .filter(([key]) => keys.includes(key)),
      ),
    omit: (map, ...keys) =>
      new GoMap(
        mapOf(map)
          .sorted()
          .filter(([key]) => !keys.includes(key)),
      ),
    add: (...args) => args.map(intOf).reduce((sum, one) => sum + one, 0),
    add1: (value) => intOf(value) + 1,
    sub: (a, b) => intOf(a) - intOf(b),
    mul: (...args) => args.map(intOf).reduce((product, one) => product * one, 1),
    div: (a, b) => Math.trunc(intOf(a) / divisor(b)),
    mod: (a, b) => intOf(a) % divisor(b),
    max: (...args) => Math.max(...args.map(intOf)),
    min: (...args) => Math.min(...args.map(intOf)),
    floor: (value) => Math.floor(numberOf(value)),
    ceil: (value) => Math.ceil(numberOf(value)),
    int: intOf,
    int64: intOf,
    atoi: intOf,
    float64: numberOf,
    toDecimal: (value) => Number.parseInt(anyText(value), 8) || 0,
    default: (fallback, value) => (isTrue(value) ? value : fallback),
    empty: (value) => !isTrue(value),
    coalesce: (...args) => args.find(isTrue) ?? null,
    all: (...args) => args.every(isTrue),
    any: (...args) => args.some(isTrue),
    ternary: (yes, no, condition) => (isTrue(condition) ? yes : no),
    kindOf: (value) => kindOf(value),
    kindIs: (kind, value) => kindOf(value) === kind,
    typeOf: (value) => typeOf(value),
    typeIs: (type, value) => typeOf(value) === type,
    typeIsLike: (type, value) => typeOf(value) === type,
    deepEqual: (a, b) => typeOf(a) === typeOf(b) && show(a) === show(b),
    toJson: (value) => toJson(value),
    toPrettyJson: (value) => toJson(value, 2),
    toRawJson: (value) => toJson(value),
    semver: (version) => {
      const parsed = parseVersion(textOf(version));
      if (!parsed) throw new TemplateError(`${textOf(version)} is no version`);
      const { major, minor, patch, prerelease, build } = parsed;
      return new GoMap([
        ['Major', major],
        ['Minor', minor],
        ['Patch', patch],
        ['Prerelease', prerelease.join('.')],
        ['Metadata', build.join('.')],
        ['Original', version],
      ]);
    },
    semverCompare: (range, version) => {
      const [test, parsed] = [parseRange(textOf(range)), parseVersion(textOf(version))];
      if (!test || !parsed) throw new TemplateError(`${textOf(range)} or ${textOf(version)} is no version`);
      return test(parsed);
    },
  };
}

function unique(list: readonly Value[]): Value[] {
  return [...new Map(list.map((item) => [`${typeOf(item)} ${show(item)}`, item])).values()];
}

function numbers(from: number, to: number, step: number): number[] {
  const count = step === 0 ? 0 : Math.ceil((to - from) / step);
  if (count > MAX_COUNT) throw new TemplateError(`a list of ${count} numbers is too long`);
  return Array.from({ length: Math.max(0, count) }, (_, index) => from + index * step);
}

/** Like the command `seq`: the numbers as a text. */
function sequence(args: readonly number[]): string {
  const [from, step, to] =
    args.length === 1 ? [1, 1, args[0]] : args.length === 2 ? [args[0], 1, args[1]] : args;
  const direction = (to ?? 0) < (from ?? 0) && args.length < 3 ? -1 : (step ?? 1);
  return numbers(from ?? 0, (to ?? 0) + Math.sign(direction), direction).join(' ');
}

function divisor(value: Value): number {
  const number = intOf(value);
  if (number === 0) throw new TemplateError('division by zero');
  return number;
}

function kindOf(value: Value): string {
  if (Array.isArray(value)) return 'slice';
  const type = typeOf(value);
  return type === 'nil' ? 'invalid' : type.includes('.') ? 'struct' : type;
}
