import { readFileSync } from 'node:fs';
import * as z from 'zod';
import published from './prices.json' with { type: 'json' };

/** What something costs in US dollars, and the page of AWS that lists it. */
export type Price = z.infer<typeof Price>;
const Price = z.strictObject({ usd: z.number().min(0), unit: z.string(), source: z.string() });

/** What is paid for, by the names of `prices.json`. */
export type Priced = keyof typeof published.usd;

/** What AWS charges in one region, without the free tier. */
export interface Prices {
  region: string;
  /** The month in which the pages said so. */
  asOf: string;
  usd: Readonly<Record<Priced, Price>>;
}

const names = Object.keys(published.usd) as [Priced, ...Priced[]];

const Given = z.strictObject({
  region: z.string(),
  asOf: z.string(),
  usd: z.partialRecord(z.enum(names), Price.partial({ unit: true, source: true })),
});

/**
 * The prices of `prices.json`; those of a file of the same shape in their place, where it names them.
 * @throws Error naming the file, and what is wrong with it
 */
export function readPrices(file?: string): Prices {
  if (file === undefined) return published;
  let given: z.infer<typeof Given>;
  try {
    given = Given.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`the prices of ${file} cannot be used: ${problem}`);
  }
  const usd = Object.fromEntries(names.map((name) => [name, { ...published.usd[name], ...given.usd[name] }]));
  return { region: given.region, asOf: given.asOf, usd: usd as Prices['usd'] };
}
