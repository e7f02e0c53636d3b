import { redact } from '../core/redact.ts';

/** Characters that do not print, or that turn around or hide what does (Unicode's bidirectional and zero-width controls). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;

/**
 * Text that came from manifests or error messages, fit to stand in a provider's page: one line, printable, without credentials, and
 * without Markdown links, whose shown text could lie about where they lead.
 * @param max the provider's limit, in UTF-16 units; longer text ends in `…`
 */
export function plainText(text: string, max: number): string {
  const line = redact(text.toWellFormed())
    .replace(INVISIBLE, ' ')
    .replace(/\]\s*([([])/g, '] $1')
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= max) return line;
  const cut = line.slice(0, max - 1);
  // Half of a surrogate pair must not be left at the end.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** An http(s) URL as it is; undefined for anything else, such as `javascript:`. */
export function safeUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  return /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}
