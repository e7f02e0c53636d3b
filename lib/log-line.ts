import { styleText } from 'node:util';

const STYLES = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

/**
 * Turns a JSON log line into one for people: time, level, message, then the fields as `name=value`; the stack of an error
 * follows on lines of its own.
 */
export function formatLine(line: string, options: { colour: boolean }): string {
  const { level, time, message, error, stack, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const name = String(level);
  const shownError =
    typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  const all = { ...fields, ...(shownError === undefined ? {} : { error: shownError }) };
  const shown = Object.entries(all).map(([key, value]) => ` ${paint('gray', `${key}=`)}${show(value)}`);
  const trace =
    stack ?? (typeof error === 'object' && error !== null ? (error as { stack?: unknown }).stack : undefined);
  const head = `${paint('gray', String(time).slice(11, 23))} ${paint(STYLES[name as keyof typeof STYLES] ?? 'gray', name.toUpperCase().padEnd(5))} ${printable(String(message))}`;
  return `${head}${shown.join('')}\n${typeof trace === 'string' ? `${indent(trace)}\n` : ''}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? printable(value) : JSON.stringify(value);
  return JSON.stringify(value) ?? '';
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${printable(line)}`)
    .join('\n');
}

/** Without control characters, which could rewrite what a terminal shows. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced here
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => JSON.stringify(character).slice(1, -1));
}
