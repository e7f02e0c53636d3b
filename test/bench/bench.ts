import process from 'node:process';
import { refuse, scriptOptions } from '../../infra/script-options.ts';
import {
  dependsOnHop,
  monorepoOneOf300,
  oneOf1500,
  pushToApplied,
  type Sizes,
  unchanged,
  webhookP99,
} from './cases.ts';
import { firstApply } from './first-apply.ts';
import { type Figure, print } from './report.ts';
import { type Backend, type Stage, setStage } from './stage.ts';

const HELP = `npm run bench [-- options and cases]

Measures Slipway on a real API server on this machine and prints each figure with what it is compared with. Without cases: all
of them. Each but cold-start builds on what the ones before it have deployed, so that those have to be named as well.

  --backend aws   what goes over SQS, DynamoDB and S3: the functions of AWS, on this machine
  --json          one JSON object a line: name, value, unit, reference, ratio
  --scale <part>  smaller cases, such as 0.1 for a tenth; the figures are then for orientation only
  --help          this text
`;

const { values, positionals } = scriptOptions('bench', HELP, {
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'local' },
    json: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

const scale = Number(values.scale);
const scaled = (count: number, least = 2) => Math.max(least, Math.round(count * scale));
const sizes: Sizes = {
  rounds: scaled(7, 1),
  apps: scaled(1_000),
  monorepo: scaled(300),
  objects: scaled(1_500, 10),
  pushes: scaled(20, 5),
  images: scaled(20, 5),
  hops: scaled(10, 3),
  webhooks: scaled(1_000, 100),
};

type Case = (stage: Stage, sizes: Sizes) => Promise<Figure[]>;

// What only some cases need is loaded by them: the servers that stand in for AWS would count as memory of Slipway.
const CASES: Record<Backend, Record<string, Case>> = {
  local: {
    'first-apply': firstApply,
    unchanged,
    'one-of-1500': oneOf1500,
    'push-to-applied': pushToApplied,
    'depends-on-hop': dependsOnHop,
    'image-push-to-applied': async (...given) =>
      (await import('./image-case.ts')).imagePushToApplied(...given),
    // Late, since what it deploys would be looked through by those before it.
    'monorepo-one-of-300': monorepoOneOf300,
    webhook: webhookP99,
    'cold-start': async () => (await import('./cold-start.ts')).coldStart(),
  },
  aws: {
    'push-to-applied': async (...given) => (await import('./aws-cases.ts')).awsPushToApplied(...given),
    'health-recheck-hop': async (...given) => (await import('./aws-cases.ts')).awsHealthRecheckHop(...given),
    'depends-on-hop': async (...given) => (await import('./aws-cases.ts')).awsDependsOnHop(...given),
  },
};
const { backend } = values;
if (backend !== 'local' && backend !== 'aws')
  refuse('bench', `--backend is ${JSON.stringify(backend)}; it must be local or aws`);
if (!(scale > 0)) refuse('bench', `--scale is ${JSON.stringify(values.scale)}; it must be a number above 0`);

const cases = CASES[backend];
for (const name of positionals) {
  if (Object.hasOwn(cases, name)) continue;
  refuse('bench', `there is no case ${name}; the cases are ${Object.keys(cases).join(', ')}`);
}

const stage = await setStage(backend);
try {
  for (const [name, measure] of Object.entries(cases)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    for (const figure of await measure(stage, sizes)) print(figure, values.json);
    await stage.quiet();
  }
} finally {
  await stage.stop();
}
// The servers that stand in for AWS keep the process alive.
process.exit();
