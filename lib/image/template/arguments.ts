import { TemplateError } from './template-error.ts';
import { GoMap, show, typeOf, type Value } from './values.ts';

/** A function of templates; piped values come last. */
export type TemplateFunction = (...args: Value[]) => Value;

/** @throws TemplateError when it is no text */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`expected a string, got ${typeOf(value)} ${show(value, true)}`);
}

/** @throws TemplateError when it is no list */
export function listOf(value: Value): Value[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`expected a list, got ${typeOf(value)}`);
}

/** @throws TemplateError when it is no map */
export function mapOf(value: Value): GoMap {
  if (value instanceof GoMap) return value;
  throw new TemplateError(`expected a map, got ${typeOf(value)}`);
}

/** Any value as a whole number, as Sprig reads it: 0 for what is none. */
export function intOf(value: Value): number {
  return Math.trunc(numberOf(value));
}

/** Any value as a number: 0 for what is none. */
export function numberOf(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() === '' ? 0 : Number(value);
  return Number.isFinite(number) ? number : 0;
}

/** Any value as text, as `toString` makes it. */
export function anyText(value: Value): string {
  return typeof value === 'string' ? value : show(value, true);
}
