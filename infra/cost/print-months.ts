import { CALL_MS } from '../../test/simulation/idle/environment.ts';
import type { IdleFleet } from '../../test/simulation/idle/idle-fleet.ts';
import type { Month } from './idle-month.ts';
import type { Prices } from './prices.ts';

/** The months side by side, for people: of each line how much, and the dollars. */
export function printMonths(
  months: readonly Month[],
  fleet: Omit<IdleFleet, 'clusters'>,
  { region, asOf }: Prices,
): string {
  const { objects, sources, sourceInterval, sweepInterval } = fleet;
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(35)}${cells.map((cell) => cell.padStart(28)).join('')}\n`;
  const amounts = (name: string, of: (month: Month) => { quantity: number; usd: number }) =>
    row(
      name,
      months.map((month) => {
        const { quantity, usd } = of(month);
        return `${quantity.toLocaleString('en-US', { maximumFractionDigits: quantity < 10 ? 2 : 0 })}${usd.toFixed(2).padStart(11)}`;
      }),
    );
  const names = months[0]?.items.map(({ name }) => name) ?? [];
  return [
    `A month without a push, from a simulated day: how much, and US dollars in ${region} as of ${asOf}, without the free tier.\n`,
    `Each cluster has ${objects} Toolkit objects, of which ${sources} ${sources === 1 ? 'is a source' : 'are sources'} looked at every ${sourceInterval}; sweep.interval is ${sweepInterval}.\n\n`,
    row('', months.map(named)),
    ...names.map((name, index) => amounts(name, ({ items }) => items[index] ?? { quantity: 0, usd: 0 })),
    amounts('requests and dollars in all', ({ requests, usd }) => ({ quantity: requests, usd })),
    amounts('for each cluster', ({ requests, usd, clusters }) => ({
      quantity: requests / clusters,
      usd: usd / clusters,
    })),
    `\nWhat is assumed: Lambda asks an empty queue 15 times a minute; calls of a function follow each other and take ${Object.entries(
      CALL_MS,
    )
      .map(([place, ms]) => `${place} ${ms} ms`)
      .join(', ')}.\nNot in it: what is stored, transfer of data, and endpoints of private networks.\n`,
  ].join('');
}

/** The same for a document, in short: requests and dollars in all, and for each cluster. */
export function markdownOf(months: readonly Month[]): string {
  const row = (name: string, cell: (month: Month) => string) =>
    `| ${[name, ...months.map(cell)].join(' | ')} |\n`;
  const dollars = (usd: number) =>
    usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const millions = (requests: number) =>
    `${(requests / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} million`;
  return [
    row('a month', named),
    row('---', () => '---:'),
    row('requests', ({ requests }) => millions(requests)),
    row('US dollars', ({ usd }) => dollars(usd)),
    row('requests of each cluster', ({ requests, clusters }) => millions(requests / clusters)),
    row('US dollars of each cluster', ({ usd, clusters }) => dollars(usd / clusters)),
  ].join('');
}

function named({ clusters }: Month): string {
  return `${clusters.toLocaleString('en-US')} ${clusters === 1 ? 'cluster' : 'clusters'}`;
}
