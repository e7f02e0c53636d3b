const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** What the Toolkit's CRDs accept as a duration: `1h30m`, `30s`, `500ms`, `1.5h`. */
export const DURATION_PATTERN = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$';

const WHOLE = new RegExp(DURATION_PATTERN);
const PART = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;

/** Ten years: enough for any interval, and far below where timers and dates overflow. */
const MAX_MS = 10 * 365 * 24 * 3_600_000;

/**
 * Parses a Go duration as the Toolkit allows it.
 * @returns milliseconds, at most ten years; undefined when the text is not a duration
 */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART))
    total += Number(amount) * (UNITS[unit as string] as number);
  return Math.min(total, MAX_MS);
}

/** Prints milliseconds as Go does for people: `1h2m3s`, `850ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  if (h > 0) return `${h}h${m}m${s}s`;
  if (m > 0) return `${m}m${s}s`;
  return `${Math.floor(ms / 100) / 10}s`;
}
