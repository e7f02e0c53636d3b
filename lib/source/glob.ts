type Token = '*' | ((character: string) => boolean);

/**
 * Compiles a pattern for one path part: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before a character that is meant as it is.
 * Matching takes at most the product of both lengths, whatever the pattern. https://pkg.go.dev/path/filepath#Match
 * @returns undefined when the pattern is malformed
 */
export function compileGlob(pattern: string): ((name: string) => boolean) | undefined {
  const tokens = tokenise(Array.from(pattern));
  return tokens && ((name) => matchTokens(tokens, Array.from(name)));
}

function tokenise(pattern: readonly string[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const parsed = parseClass(pattern, at + 1);
      if (!parsed) return undefined;
      tokens.push(parsed.token);
      at = parsed.end;
    } else {
      if (character === '\\') at += 1;
      const literal = pattern[at];
      if (literal === undefined) return undefined;
      tokens.push((given) => given === literal);
    }
  }
  return tokens;
}

/** @returns the place of the closing bracket; undefined when the class is malformed */
function parseClass(pattern: readonly string[], start: number): { token: Token; end: number } | undefined {
  const negated = pattern[start] === '^';
  const ranges: [string, string][] = [];
  let at = negated ? start + 1 : start;
  function character(): string | undefined {
    if (pattern[at] === '\\') at += 1;
    else if (pattern[at] === '-' || pattern[at] === ']') return undefined;
    const found = pattern[at];
    at += 1;
    return found;
  }
  while (ranges.length === 0 || pattern[at] !== ']') {
    const low = character();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (pattern[at] === '-') {
      at += 1;
      high = character();
    }
    if (high === undefined || at >= pattern.length) return undefined;
    ranges.push([low, high]);
  }
  const token = (given: string) => ranges.some(([low, high]) => low <= given && given <= high) !== negated;
  return { token, end: at };
}

/** Goes back only to the last star: an earlier one can never help where a later one could not. */
function matchTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current === '*') {
      star = token;
      starAt = at;
      token += 1;
    } else if (current?.(name[at] as string)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      starAt += 1;
      at = starAt;
    } else return false;
  }
  while (tokens[token] === '*') token += 1;
  return token === tokens.length;
}
