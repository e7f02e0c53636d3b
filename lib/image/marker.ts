import { Lexer } from 'yaml';

/** What every marker contains; a file without it need not be parsed. */
export const MARKER_TOKEN = '"$imagepolicy"';

/** A comment that marks a field. */
export interface Marker {
  /** `ns:policy`, or one of its parts. */
  setter: string;
  /** Where the comment stands in the text, in UTF-16 units. */
  start: number;
  end: number;
}

/** Signs that the lexer puts between tokens; they are not in the text. https://eemeli.org/yaml/#lexer */
const SCALAR = '\u001f';
const SIGNS: ReadonlySet<string> = new Set([SCALAR, '\u0002', '\u0018']);

/**
 * The comments of a YAML text that are markers.
 * @throws Error when the lexer and the text differ, which would make every position doubtful
 */
export function findMarkers(text: string): Marker[] {
  const markers: Marker[] = [];
  let offset = 0;
  let previous = '';
  for (const token of new Lexer().lex(text)) {
    if (!SIGNS.has(token)) {
      if (!text.startsWith(token, offset)) throw new Error('its parts cannot be found again in it');
      // What follows the sign of a scalar is its text, which may well begin with "#".
      const setter = token.startsWith('#') && previous !== SCALAR ? readMarker(token) : undefined;
      if (setter !== undefined) markers.push({ setter, start: offset, end: offset + token.length });
      offset += token.length;
    }
    previous = token;
  }
  return markers;
}

/** @returns what a comment marks with; undefined when it is an ordinary comment */
function readMarker(comment: string): string | undefined {
  if (!comment.includes(MARKER_TOKEN)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(comment.replace(/^#+/, ''));
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  if (!Object.values(value).every((member) => typeof member === 'string')) return undefined;
  return (value as Record<string, string>).$imagepolicy || undefined;
}
