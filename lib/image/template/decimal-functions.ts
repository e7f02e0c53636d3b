import { intOf, numberOf, type TemplateFunction } from './arguments.ts';
import { TemplateError } from './template-error.ts';
import type { Value } from './values.ts';

/** As many digits as a number holds for certain: `addf 0.1 0.2` is 0.3, as with Sprig's decimals. */
const DIGITS = 15;

type Operation = (left: number, right: number) => number;

/** Sprig's functions on numbers with a fraction. https://masterminds.github.io/sprig/mathf.html */
export const decimalFunctions: Readonly<Record<string, TemplateFunction>> = {
  add1f: (value) => exact(numberOf(value) + 1),
  addf: folded((left, right) => left + right),
  subf: folded((left, right) => left - right),
  mulf: folded((left, right) => left * right),
  divf: folded((left, right) => {
    if (right === 0) throw new TemplateError('division by zero');
    return left / right;
  }),
  maxf: folded(Math.max),
  minf: folded(Math.min),
  round: (value, places, from = 0.5) => {
    const scale = 10 ** intOf(places);
    // Without decimals: 1.005 is a little less than it says.
    const scaled = numberOf(value) * scale;
    const fraction = scaled - Math.trunc(scaled);
    return (fraction >= numberOf(from) ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
  },
};

function folded(operation: Operation): TemplateFunction {
  return (...args: Value[]) =>
    args.length === 0 ? 0 : args.map(numberOf).reduce((left, right) => exact(operation(left, right)));
}

function exact(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
