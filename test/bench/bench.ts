import process from 'node:process';
import { parseArgs } from 'node:util';
import { awsDependsOnHop, awsHealthRecheckHop, awsPushToApplied } from './aws-cases.ts';
import {
  dependsOnHop,
  firstApply,
  monorepoOneOf300,
  oneOf1500,
  pushToApplied,
  type Sizes,
  unchanged,
  webhookP99,
} from './cases.ts';
import { coldStart } from './cold-start.ts';
import { imagePushToApplied } from './image-case.ts';
import { print } from './report.ts';
import { setStage } from './stage.ts';

const HELP = `npm run bench [-- options]

Measures Slipway on a real API server on this machine and prints each figure with what it is compared with.

  --backend aws   what goes over SQS, DynamoDB and S3: the functions of AWS, on this machine
  --json          one JSON object a line: name, value, unit, reference, ratio
  --scale <part>  smaller cases, such as 0.1 for a tenth; the figures are then for orientation only
  --help          this text
`;

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'local' },
    json: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const scale = Number(values.scale);
const scaled = (count: number, least = 2) => Math.max(least, Math.round(count * scale));
const sizes: Sizes = {
  apps: scaled(1_000),
  monorepo: scaled(300),
  objects: scaled(1_500, 10),
  pushes: scaled(20, 5),
  images: scaled(20, 5),
  hops: scaled(10, 3),
  webhooks: scaled(1_000, 100),
};

const CASES = {
  local: [
    firstApply,
    unchanged,
    monorepoOneOf300,
    oneOf1500,
    pushToApplied,
    dependsOnHop,
    imagePushToApplied,
    webhookP99,
    coldStart,
  ],
  aws: [awsPushToApplied, awsHealthRecheckHop, awsDependsOnHop],
} as const;
const { backend } = values;
if (backend !== 'local' && backend !== 'aws') {
  process.stderr.write(`bench: --backend is ${JSON.stringify(backend)}; it must be local or aws\n`);
  process.exit(2);
}

const stage = await setStage(backend);
try {
  for (const measure of CASES[backend]) {
    for (const figure of await measure(stage, sizes)) print(figure, values.json);
    await stage.quiet();
  }
} finally {
  await stage.stop();
}
// The servers that stand in for AWS keep the process alive.
process.exit();
