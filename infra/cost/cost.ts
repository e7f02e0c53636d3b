/** Prints what an idle month costs on AWS: `npm run cost`. */
import process from 'node:process';
import { parseDuration } from '../../lib/core/duration.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { CALL_MS, OWN_MS } from '../../test/simulation/idle/environment.ts';
import { DEFAULT_FLEET } from '../../test/simulation/idle/idle-fleet.ts';
import { scriptOptions } from '../script-options.ts';
import { dayOf, idleMonth } from './idle-month.ts';
import { readPrices } from './prices.ts';
import { markdownOf, printMonths } from './print-months.ts';
import { sampleDay } from './sample-day.ts';

const HELP = `npm run cost [-- options]

Lets a day pass on fleets that are deployed and in which nothing happens, counts what the functions ask of AWS meanwhile, and prints what
thirty such days cost. It takes about half a minute, no credentials and no network.

  --clusters <list>           numbers of clusters (10,100,1000)
  --objects <count>           Toolkit objects in each cluster, its two roots among them (${DEFAULT_FLEET.objects})
  --sources <count>           how many of them are sources (${DEFAULT_FLEET.sources})
  --source-interval <time>    how often sources are looked at (${DEFAULT_FLEET.sourceInterval})
  --sweep-interval <time>     sweep.interval of the fleet file (${DEFAULT_FLEET.sweepInterval})
  --prices <file>             other prices, in the shape of infra/cost/prices.json; those it does not name stay
  --markdown                  the sums alone, as they stand in docs/deploy-aws.md
  --json                      one JSON object
  --help                      this text
`;

async function print(): Promise<void> {
  const { values } = scriptOptions('cost', HELP, {
    options: {
      clusters: { type: 'string', default: '10,100,1000' },
      objects: { type: 'string', default: String(DEFAULT_FLEET.objects) },
      sources: { type: 'string', default: String(DEFAULT_FLEET.sources) },
      'source-interval': { type: 'string', default: DEFAULT_FLEET.sourceInterval },
      'sweep-interval': { type: 'string', default: DEFAULT_FLEET.sweepInterval },
      prices: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const count = (name: 'objects' | 'sources', least: number) => wholeNumber(values[name], `--${name}`, least);
  const sizes = values.clusters.split(',').map((size) => wholeNumber(size, '--clusters', 1));
  const sources = count('sources', 1);
  const fleet = {
    objects: count('objects', sources + 1),
    sources,
    sourceInterval: duration(values['source-interval'], '--source-interval'),
    sweepInterval: duration(values['sweep-interval'], '--sweep-interval'),
  };
  const prices = readPrices(values.prices);
  const sample = await sampleDay(fleet);
  const months = sizes.map((clusters) => idleMonth(dayOf(sample, clusters), clusters, prices));
  if (values.json) {
    const assumed = { callMs: CALL_MS, invocationMs: OWN_MS };
    process.stdout.write(`${JSON.stringify({ fleet, prices, assumed, months }, null, 2)}\n`);
  } else if (values.markdown) process.stdout.write(markdownOf(months));
  else process.stdout.write(printMonths(months, fleet, prices));
}

function duration(text: string, option: string): string {
  if ((parseDuration(text) ?? 0) > 0) return text;
  throw new Error(`${option} is ${JSON.stringify(text)}; it must be a duration such as 5m`);
}

function wholeNumber(text: string, option: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`${option} is ${JSON.stringify(text)}; it must be a whole number of ${least} or more`);
  return number;
}

try {
  await print();
} catch (error) {
  process.stderr.write(`cost: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
