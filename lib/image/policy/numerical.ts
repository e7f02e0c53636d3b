import { ChoiceError, compareText, type Order } from './order.ts';

const DIGITS = '\\d(?:_?\\d)*';
/** A number as Go's `strconv.ParseFloat` reads it, without the hexadecimal ones; digits may be grouped by underscores. */
const DECIMAL = new RegExp(
  `^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`,
  'i',
);
const INFINITE = /^([+-]?)(?:inf|infinity)$/i;

/** By their value as numbers: the highest is the newest, or the lowest (`desc`). One that is no number is an error. */
export function numerical(order: 'asc' | 'desc'): Order {
  const sign = order === 'asc' ? -1 : 1;
  return (candidates) => {
    const numbers = candidates.map((candidate) => {
      const number = parse(candidate.value);
      if (number !== undefined) return { candidate, number };
      throw new ChoiceError(
        `failed to parse invalid numeric value '${candidate.value}' of tag '${candidate.tag}'; leave such tags out with spec.filterTags`,
      );
    });
    numbers.sort(
      (a, b) =>
        sign * compare(a.number, b.number) ||
        sign * compareWhole(a.candidate.value, b.candidate.value) ||
        compareText(a.candidate.value, b.candidate.value),
    );
    return { ranked: numbers.map(({ candidate }) => candidate), rejected: [] };
  };
}

function parse(text: string): number | undefined {
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!DECIMAL.test(text)) return undefined;
  const number = Number(text.replaceAll('_', ''));
  return Number.isFinite(number) ? number : undefined;
}

function compare(left: number, right: number): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** Time stamps of 17 digits are more than a floating-point number tells apart. */
function compareWhole(left: string, right: string): number {
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return 0;
  const [a, b] = [BigInt(left), BigInt(right)];
  return a === b ? 0 : a < b ? -1 : 1;
}
