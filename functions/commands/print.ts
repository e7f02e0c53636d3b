import process from 'node:process';
import { stringify } from 'yaml';

/** How results are printed. */
export type Output = 'table' | 'json' | 'yaml';

/** A column of a table: its heading and how a row fills it. */
export interface Column<T> {
  heading: string;
  value(row: T): string;
}

/** Prints rows for people or for programs. An empty table says so on stderr, so that a pipe gets nothing. */
export function printRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  output: Output,
  nothing: string,
): void {
  if (output !== 'table') {
    printValue(rows, output);
    return;
  }
  if (rows.length === 0) {
    process.stderr.write(`${nothing}\n`);
    return;
  }
  const cells = [
    columns.map(({ heading }) => heading.toUpperCase()),
    ...rows.map((row) => columns.map(({ value }) => oneLine(value(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  for (const line of cells) {
    const text = line
      .map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('   ');
    process.stdout.write(`${text.trimEnd()}\n`);
  }
}

/** Prints a value as JSON or YAML. */
export function printValue(value: unknown, output: 'json' | 'yaml'): void {
  process.stdout.write(output === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value));
}

/**
 * The number that `--limit` gives.
 * @throws Error when it is none
 */
export function countOf(limit: string): number {
  const count = Number(limit);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error('--limit takes a whole number from 1');
}

/** Green, yellow or red on a terminal; plain elsewhere and under NO_COLOR. Colours of the text's own are taken away. */
export function colour(text: string, kind: 'good' | 'busy' | 'bad' | 'faint'): string {
  const plain = printable(text);
  if (!process.stdout.isTTY || process.env.NO_COLOR) return plain;
  const code = { good: 32, busy: 33, bad: 31, faint: 2 }[kind];
  return `\u001b[${code}m${plain}\u001b[0m`;
}

/** How long ago something was, as kubectl prints it: `12s`, `5m`, `3h`, `4d`. */
export function age(epochMs: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - epochMs) / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** A text without what would move the cursor or change the colours of a terminal: it may come from whoever writes to a cluster. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function oneLine(text: string): string {
  const line = printable(text.replace(/\s+/g, ' ').trim());
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
