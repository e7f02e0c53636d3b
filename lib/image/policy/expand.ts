import type { Captures } from './pattern.ts';

const MAX_GROUP = 100_000_000;

/**
 * Fills a template with what a pattern matched: `$name`, `${name}`, `$1`, and `$$` for a dollar. A name is as long as it can be; a group
 * that there is not is empty; a lone dollar stands for itself.
 * @see https://pkg.go.dev/regexp#Regexp.Expand
 */
export function expandTemplate(template: string, captures: Captures): string {
  return template.replace(
    /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})?/gu,
    (_match: string, plain: string | undefined, braced: string | undefined) => {
      const name = plain ?? braced;
      return name === undefined ? '$' : (captures.groups[groupOf(name, captures)] ?? '');
    },
  );
}

/** The number of a group; -1 when there is none. */
function groupOf(name: string, { names }: Captures): number {
  const isNumber = /^(?:0|[1-9]\d*)$/.test(name) && Number(name) < MAX_GROUP;
  if (isNumber) return Number(name);
  return Object.hasOwn(names, name) ? (names[name] ?? -1) : -1;
}
