import { type Installation, idleMonth, type Usage } from './idle-usage.ts';
import { PRICES } from './prices.ts';

/** What an idle month costs, item by item and in all, in US dollars. */
export function monthlyDollars(installation: Installation): { items: Usage; sum: number } {
  const usage = idleMonth(installation);
  const names = Object.keys(PRICES) as (keyof Usage)[];
  const items = Object.fromEntries(names.map((name) => [name, usage[name] * PRICES[name].usd])) as Usage;
  return { items, sum: names.reduce((sum, name) => sum + items[name], 0) };
}
