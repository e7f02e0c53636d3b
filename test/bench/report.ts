import process from 'node:process';

/** One measured figure. `reference` and `ratio` compare it with something measured in the same run, or with its bar. */
export interface Figure {
  name: string;
  value: number;
  unit: 'ms' | 'MiB';
  /** What it is compared with, in the same unit. */
  reference: number;
  /** What the reference is. */
  against: string;
  /** value / reference. */
  ratio: number;
  /** The ratio must not be above this. */
  bar: number;
  /** What was seen beside the figure, such as the number of writes. */
  notes: string[];
}

/** Makes a figure; `bar` is the highest ratio that is good enough. */
export function figure(
  name: string,
  value: number,
  unit: Figure['unit'],
  reference: number,
  against: string,
  bar = 1,
  notes: string[] = [],
): Figure {
  return {
    name,
    value: round(value),
    unit,
    reference: round(reference),
    against,
    ratio: round(value / reference, 100),
    bar,
    notes,
  };
}

/** Prints a figure as one JSON object, or as a line for people. */
export function print(figure: Figure, json: boolean): void {
  if (json) {
    const { name, value, unit, reference, ratio } = figure;
    process.stdout.write(`${JSON.stringify({ name, value, unit, reference, ratio })}\n`);
    return;
  }
  const verdict = figure.ratio <= figure.bar ? 'ok  ' : 'OVER';
  const value = `${figure.value} ${figure.unit}`.padStart(12);
  const against = `${figure.ratio} × ${figure.reference} ${figure.unit} (${figure.against}), at most ${figure.bar}`;
  process.stdout.write(
    `${verdict} ${figure.name.padEnd(26)} ${value}   ${[against, ...figure.notes].join('; ')}\n`,
  );
}

/** The value below which `share` (0 to 1) of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function round(value: number, by = 10): number {
  return Math.round(value * by) / by;
}
