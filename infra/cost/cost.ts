/** Prints what an idle month costs on AWS: `npm run cost`. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { monthlyDollars } from './monthly-dollars.ts';
import { PRICES, PRICES_AS_OF } from './prices.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '20' },
    // The root every minute, as by default.
    'source-runs': { type: 'string', default: '60' },
  },
});
const objects = Number(values.objects);
const sourceRuns = Number(values['source-runs']);
const SIZES = [10, 100, 1_000];
const INTERVALS = [1, 5, 15];

process.stdout.write(
  `US dollars a month, idle, ${objects} Toolkit objects and ${sourceRuns} looks at sources an hour in each cluster, us-east-1 as of ${PRICES_AS_OF}, without the free tier\n`,
);
for (const minutes of INTERVALS) {
  const heads = SIZES.map((clusters) => `${clusters} clusters`.padStart(16));
  process.stdout.write(`\nsweep.interval ${`${minutes}m`.padEnd(3)}${heads.join('')}\n`);
  const months = SIZES.map((clusters) =>
    monthlyDollars({ clusters, sweepMs: minutes * 60_000, objects, sourceRuns }),
  );
  for (const name of Object.keys(PRICES) as (keyof typeof PRICES)[])
    print(
      name,
      months.map(({ items }) => items[name]),
    );
  print(
    'in all',
    months.map(({ sum }) => sum),
  );
  print(
    'each cluster',
    months.map(({ sum }, index) => sum / (SIZES[index] ?? 1)),
  );
}

function print(name: string, amounts: readonly number[]): void {
  const cells = amounts.map((amount) => amount.toFixed(2).padStart(16));
  process.stdout.write(`  ${name.padEnd(16)}${cells.join('')}\n`);
}
