import type { RE2JS } from 're2js';
import { compileBounded } from '../policy/pattern.ts';
import { intOf, type TemplateFunction, textOf } from './arguments.ts';
import type { Budget } from './budget.ts';
import { TemplateError } from './template-error.ts';

/** A match: where it stands, and its groups with the whole at first. */
interface Match {
  start: number;
  end: number;
  groups: string[];
}

/**
 * Sprig's regular expressions, by an engine that takes time linear in the text. Text times pattern counts against the budget.
 * @see https://masterminds.github.io/sprig/strings.html
 */
export function regexFunctions(budget: Budget): Readonly<Record<string, TemplateFunction>> {
  function compile(pattern: string, text: string): RE2JS {
    const compiled = compileBounded(
      pattern,
      (problem) => new TemplateError(`a regular expression is invalid: ${problem}`),
    );
    budget.text((text.length + 1) * Math.ceil(compiled.programSize() / 16));
    return compiled;
  }

  /** All matches in order; an empty one right behind another does not count, as in Go. */
  function matchesOf(pattern: string, text: string): { matches: Match[]; names: Record<string, number> } {
    const compiled = compile(pattern, text);
    const matcher = compiled.matcher(text);
    const matches: Match[] = [];
    while (matcher.find()) {
      const [start, end] = [matcher.start(), matcher.end()];
      if (start === end && matches.at(-1)?.end === start) continue;
      const count = matcher.groupCount() + 1;
      budget.text(count);
      matches.push({ start, end, groups: Array.from({ length: count }, (_, n) => matcher.group(n) ?? '') });
    }
    return { matches, names: compiled.namedGroups() };
  }

  function replaceAll(pattern: string, text: string, expand: ReturnType<typeof expander>): string {
    const { matches, names } = matchesOf(pattern, text);
    let [result, from] = ['', 0];
    for (const match of matches) {
      const fresh = expand(match.groups, names);
      budget.text(match.start - from + fresh.length);
      result += text.slice(from, match.start) + fresh;
      from = match.end;
    }
    return result + text.slice(from);
  }

  function split(pattern: string, text: string, count: number): string[] {
    if (count === 0) return [];
    const parts: string[] = [];
    let from = 0;
    for (const { start, end } of matchesOf(pattern, text).matches) {
      if (count > 0 && parts.length === count - 1) break;
      // An empty match at the beginning or the end parts nothing.
      if (end === 0 || (start === end && end === text.length)) continue;
      parts.push(text.slice(from, start));
      from = end;
    }
    return [...parts, text.slice(from)];
  }

  const made: Record<string, TemplateFunction> = {
    regexMatch: (pattern, text) => compile(textOf(pattern), textOf(text)).test(textOf(text)),
    regexFind: (pattern, text) => matchesOf(textOf(pattern), textOf(text)).matches[0]?.groups[0] ?? '',
    regexFindAll: (pattern, text, count) => {
      const found = matchesOf(textOf(pattern), textOf(text)).matches.map(({ groups }) => groups[0] ?? '');
      return intOf(count) < 0 ? found : found.slice(0, intOf(count));
    },
    regexReplaceAll: (pattern, text, fresh) =>
      replaceAll(textOf(pattern), textOf(text), expander(textOf(fresh))),
    regexReplaceAllLiteral: (pattern, text, fresh) =>
      replaceAll(textOf(pattern), textOf(text), () => textOf(fresh)),
    regexSplit: (pattern, text, count) => split(textOf(pattern), textOf(text), intOf(count)),
    regexQuoteMeta: (text) => textOf(text).replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
  };
  // Those with "must" differ from the others in Go alone, where those panic.
  const musts = Object.entries(made).filter(([name]) => name !== 'regexQuoteMeta');
  return {
    ...made,
    ...Object.fromEntries(
      musts.map(([name, each]) => [`must${name[0]?.toUpperCase()}${name.slice(1)}`, each]),
    ),
  };
}

/** Fills in Go's `$1`, `${1}`, `$name`, `${name}` and `$$`; what names no group is empty. https://pkg.go.dev/regexp#Regexp.Expand */
function expander(text: string): (groups: readonly string[], names: Record<string, number>) => string {
  return (groups, names) =>
    text.replaceAll(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, braced?: string, plain?: string) => {
      if (dollar !== undefined) return '$';
      const name = braced ?? plain ?? '';
      return groups[/^\d+$/.test(name) ? Number(name) : (names[name] ?? -1)] ?? '';
    });
}
