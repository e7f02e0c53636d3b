import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { osls } from './osls.ts';
import type { Stack } from './package-stacks.ts';

/** CloudFormation gives up much sooner. */
const TIMEOUT_MS = 3_600_000;

/** Variables by which AWS's tools find credentials, and proxies. */
const PASSED_ON = /^(AWS_|HTTPS?_PROXY$|NO_PROXY$|https?_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/;

/**
 * Deploys a packaged stack.
 * @returns its outputs, one line each
 * @throws Error with what CloudFormation said
 */
export async function deployStack(stack: Stack): Promise<string[]> {
  const passed = Object.entries(process.env).filter(
    (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
  );
  const env = { ...Object.fromEntries(passed), ...stack.env };
  await osls({
    directory: stack.directory,
    args: ['deploy', '--package', stack.packaged],
    env,
    timeoutMs: TIMEOUT_MS,
  });
  const info = await osls({
    directory: stack.directory,
    args: ['info', '--verbose'],
    env,
    timeoutMs: 120_000,
  });
  return info.split('\n').flatMap((line) => {
    const [, name, value] = /^\s*(WebhookUrl|PagesUrl|AlarmTopic|Queue): (\S+)$/.exec(line) ?? [];
    return name === undefined ? [] : [`${name}: ${value}`];
  });
}

/** A stack in words: its name and how much it holds. */
export async function describeStack({ name, packaged }: Stack): Promise<string> {
  const text = await readFile(join(packaged, 'cloudformation-template-update-stack.json'), 'utf8');
  const { Resources } = JSON.parse(text) as { Resources: Record<string, { Type: string }> };
  const types = Object.values(Resources).map(({ Type }) => Type);
  const count = (type: string) => types.filter((each) => each === type).length;
  const [functions, queues, alarms] = ['Lambda::Function', 'SQS::Queue', 'CloudWatch::Alarm'].map((type) =>
    count(`AWS::${type}`),
  );
  return `${name}: ${types.length} resources, among them ${functions} functions, ${queues} queues, ${alarms} alarms`;
}
