import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCore } from '../../functions/aws/core.ts';
import { QUEUES, queueUrl, readEnvironment } from '../../functions/aws/environment.ts';
import { silentLog } from '../../lib/log.ts';
import { delayEntry, fifoEntry } from '../../lib/queue/sqs-message.ts';
import { receiveRecords } from '../../lib/queue/sqs-receive.ts';
import { type AwsServers, awsServers, createResources, type Variables } from '../aws-local/resources.ts';
import { runCli } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ACCOUNT = '123456789012';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let servers: AwsServers;
let made: Variables;
let sts: Server;

beforeAll(async () => {
  directory = await temporaryDirectory();
  servers = await awsServers();
  made = await createResources('slipway-prod', ['production']);
  await writeFile(join(directory.path, 'slipway.yaml'), fleetFile('prod'));
  await writeFile(join(directory.path, 'other.yaml'), fleetFile('other'));
  sts = createServer((_request, response) => {
    response.end(`<GetCallerIdentityResult><Account>${ACCOUNT}</Account></GetCallerIdentityResult>`);
  });
  await new Promise<void>((done) => void sts.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  sts?.close();
  await directory?.remove();
});

/** A fleet file as it was deployed. */
function fleetFile(stage: string): string {
  return `aws: {region: us-east-1, stage: ${stage}}
clusters: [{name: production, kubeconfig: env:NONE, source: {url: https://github.com/acme/fleet.git, branch: main, path: ./}}]
`;
}

/** A command of somebody who has the fleet file and credentials of the account. */
function slipway(...args: string[]) {
  const { port } = sts.address() as AddressInfo;
  return runCli(args, { cwd: directory.path, env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}` } });
}

const url = (name: string) => queueUrl(made.SLIPWAY_QUEUES ?? '', name);

/** Puts a message where the redrive policies put those that failed too often. */
async function die(queue: string, entry: object): Promise<void> {
  await servers.fauxqs.api('SendMessageBatch', { QueueUrl: url(queue), Entries: [entry] });
}

const envelope = (group: string) => ({
  group,
  deduplicationId: randomUUID(),
  body: '{"a":"job"}',
  sentAt: 1_000,
});

interface Letter {
  id: string;
  queue: string;
  group: string;
}

async function letters(): Promise<Letter[]> {
  const { stdout, stderr, code } = await slipway('dead-letters', '-o', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Letter[];
}

describe('with the fleet file of an installation on AWS', () => {
  it('dead letters of every queue are shown, and go back to the queue they are for', async () => {
    expect(await letters()).toEqual([]);
    const held = { ...envelope('production/held-back'), queue: QUEUES.cluster('production') };
    await die(QUEUES.deadOf(QUEUES.cluster('production')), fifoEntry('0', envelope('production/object')));
    await die(QUEUES.deadOf(QUEUES.push), fifoEntry('0', envelope('a push')));
    await die(QUEUES.deadOf(QUEUES.notify), fifoEntry('0', envelope('github')));
    await die(QUEUES.delayDead, delayEntry('0', held, 0));
    const found = await letters();
    expect(found.map(({ queue, group }) => `${queue}: ${group}`).sort()).toEqual([
      'delay: production/held-back',
      'notify: github',
      'production: production/object',
      'push: a push',
    ]);

    const one = found.find(({ queue }) => queue === 'delay');
    const first = await slipway('dead-letters', 'redrive', one?.id ?? '');
    expect(first).toMatchObject({ code: 0, stdout: '1 sent again\n' });
    expect((await letters()).map(({ queue }) => queue).sort()).toEqual(['notify', 'production', 'push']);
    const [record] = await receiveRecords(servers.fauxqs.api, url(QUEUES.cluster('production')), {
      max: 10,
      waitMs: 1_000,
      visibilityMs: 1_000,
    });
    expect(record).toMatchObject({ body: held.body, attributes: { MessageGroupId: held.group } });

    expect(await slipway('dead-letters', 'redrive')).toMatchObject({ code: 0, stdout: '3 sent again\n' });
    expect(await letters()).toEqual([]);
  });

  it('runs are read from its table', async () => {
    expect((await slipway('get', 'runs')).stderr).toContain('no runs are recorded yet');
    const fleet = join(directory.path, 'slipway.yaml');
    const { ctx } = await openCore(readEnvironment({ ...made, SLIPWAY_FLEET: fleet }), silentLog);
    await ctx.index.runs.append({
      id: ctx.newId(),
      cluster: 'production',
      object: { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization', namespace: 'apps', name: 'web' },
      trigger: 'push',
      startedAt: Date.now() - 800,
      finishedAt: Date.now(),
      steps: [],
      changes: [],
      result: 'success',
      reason: 'ReconciliationSucceeded',
      message: 'Applied revision: main@sha1:abc',
    });
    const { stdout, code } = await slipway('get', 'runs');
    expect(code).toBe(0);
    expect(stdout).toMatch(/production +Kustomization\/apps\/web .* 800ms +success/);
    const history = await slipway('history', 'ks/apps/web');
    expect(history.stdout).toContain('Applied revision: main@sha1:abc');
  });

  it('one that was never deployed is named, with what to do', async () => {
    const { code, stderr } = await slipway('--config', 'other.yaml', 'get', 'runs');
    expect(code).toBe(1);
    expect(stderr).toMatch(/no installation is at table slipway-other .*slipway deploy.*credentials/);
  });

  it('credentials that are missing are said to be', async () => {
    const nobody = {
      AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_PROFILE: '',
      HOME: '/nonexistent',
    };
    const { code, stderr } = await runCli(['dead-letters'], { cwd: directory.path, env: nobody });
    expect(code).toBe(1);
    expect(stderr).toMatch(/AWS cannot be used with the credentials of this shell: .*aws sso login/);
  });
});
