import process from 'node:process';
import { formatDuration } from './format-duration.ts';

/** Shows how a long piece of work goes on: one line that changes on a terminal, a line every 30 s elsewhere. */
export interface Progress {
  /** Says what is being done now, and how much of it is done (0 to 1) where that is known. */
  update(doing: string, fraction?: number): void;
  /** Ends with a line that stays. */
  done(result: string): void;
  /** Ends without one. */
  clear(): void;
}

/**
 * @param title name of the work, e.g. `kubernetes v1.34.4`
 * @param estimateSeconds how long all of it takes, from experience
 */
export function showProgress(
  title: string,
  estimateSeconds: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const started = Date.now();
  const live = stream.isTTY === true;
  let doing = 'starting';
  let fraction = 0;

  function line(): string {
    const elapsed = (Date.now() - started) / 1000;
    // At first experience counts, later what was seen.
    const expected = Math.max(0, estimateSeconds - elapsed);
    const seen = fraction > 0.02 ? (elapsed * (1 - fraction)) / fraction : expected;
    const left = fraction * seen + (1 - fraction) * expected;
    const rest = left >= 5 ? `, about ${formatDuration(left)} left` : '';
    return `${title}  ${doing}  ${formatDuration(elapsed)}${rest}`;
  }

  function show(): void {
    if (live) stream.write(`\r\x1b[2K${line().slice(0, (stream.columns || 80) - 1)}`);
    else stream.write(`${line()}\n`);
  }

  show();
  const timer = setInterval(show, live ? 250 : 30_000);
  timer.unref();

  function clear(): void {
    clearInterval(timer);
    if (live) stream.write('\r\x1b[2K');
  }

  return {
    update(now, part) {
      doing = now;
      if (part !== undefined) fraction = part;
    },
    done(result) {
      clear();
      stream.write(`${title}  ${result} in ${formatDuration((Date.now() - started) / 1000)}\n`);
    },
    clear,
  };
}
