/** One way in which a server lets itself be convinced: a scheme of `WWW-Authenticate` and its parameters, names in lower case. */
export interface Challenge {
  /** Such as `bearer` or `basic`, in lower case. */
  scheme: string;
  parameters: Readonly<Record<string, string>>;
}

/** Headers longer than this are no challenge of a registry. */
const MAX_LENGTH = 8_192;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`, 'y');
const SCHEME = new RegExp(`(${TOKEN})(?:[ \\t]+|$)`, 'y');
const SEPARATOR = /[ \t,]*/y;

/**
 * Parses the value of `WWW-Authenticate`, which may hold several challenges. What cannot be read is left out.
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > MAX_LENGTH) return challenges;
  let position = 0;
  let parameters: Record<string, string> | undefined;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const found = pattern.exec(header);
    if (found) position = pattern.lastIndex;
    return found;
  };
  while (position < header.length) {
    match(SEPARATOR);
    const parameter = parameters && match(PARAMETER);
    if (parameter && parameters) {
      const [, name = '', quoted, plain] = parameter;
      parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
      continue;
    }
    const scheme = match(SCHEME)?.[1];
    if (scheme === undefined) break;
    parameters = Object.create(null) as Record<string, string>;
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
