import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../functions/aws/environment.ts';
import { openReconcile } from '../../functions/reconcile.ts';
import { openSweep } from '../../functions/sweep.ts';
import { silentLog } from '../../lib/log.ts';
import { awsServers, createResources } from '../aws-local/resources.ts';
import { type AwsProxy, startAwsProxy, usesOf } from '../support/aws-proxy.ts';
import type { Template } from '../support/cloudformation.ts';
import { allows, statementsOf } from '../support/iam.ts';
import { packagedStacks, TABLE } from '../support/packaged-stacks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { core, clusterStack } = await packagedStacks();

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let dynamodb: AwsProxy;
let environment: ReturnType<typeof readEnvironment>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const servers = await awsServers();
  const made = await createResources('installation', ['production']);
  dynamodb = await startAwsProxy(servers.dynalite.endpoint);
  Object.assign(process.env, { AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url });
  const fleet = join(directory.path, 'slipway.yaml');
  await writeFile(
    fleet,
    'clusters: [{name: production, kubeconfig: env:NONE, source: {url: https://github.com/acme/fleet.git, branch: main, path: ./}}]\n',
  );
  environment = readEnvironment({
    ...made,
    SLIPWAY_FLEET: fleet,
    SLIPWAY_CLUSTER: 'production',
    SLIPWAY_DIRECTORY: directory.path,
  });
});
afterAll(() => Promise.all([dynamodb?.stop(), directory?.remove()]));

/** What was asked of the table since the last look, as far as a role does not allow it. */
function refused(template: Template, role: string) {
  const uses = dynamodb.calls.splice(0).map(usesOf);
  expect(uses.length).toBeGreaterThan(0);
  const statements = statementsOf(template, role);
  return uses.filter(
    ({ action, partitions }) =>
      !allows(statements, { action, resource: TABLE, keys: { 'dynamodb:LeadingKeys': partitions } }),
  );
}

describe('an installation on AWS', () => {
  it('has no name before the first tick, which a worker says', async () => {
    await expect(openReconcile(environment, silentLog)).rejects.toThrow(
      /no name yet; .*look at the log of sweep/,
    );
    expect(refused(clusterStack('production'), 'ReconcileRole')).toEqual([]);
  });

  it('is given one by the first tick and no other by the next, with the rights of the tick', async () => {
    const first = await openSweep(environment, silentLog);
    expect(refused(core, 'SweepRole')).toEqual([]);
    const again = await openSweep(environment, silentLog);
    expect(dynamodb.calls.map(({ operation }) => operation)).toEqual(['GetItem']);
    await Promise.all([first.close(), again.close()]);
    dynamodb.calls.length = 0;
  });

  it('is known by its name to a worker, with the rights of the worker', async () => {
    const worker = await openReconcile(environment, silentLog);
    expect(worker.ctx.installation).toMatch(/^[0-9a-f]{16}$/);
    expect(refused(clusterStack('production'), 'ReconcileRole')).toEqual([]);
    await worker.close();
  });
});
