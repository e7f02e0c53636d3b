import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, MAX_RECEIVE_COUNT, QUEUES } from '../../functions/aws/environment.ts';
import { packageStacks, ROOT } from '../../infra/aws/package-stacks.ts';
import { ALARMS } from '../../infra/cost/idle-usage.ts';
import { CLUSTER_KINDS, SHARED_PARTITIONS } from '../../lib/store/partitions.ts';
import { runCli } from '../support/cli.ts';
import { type Resource, readTemplate, type Template } from '../support/cloudformation.ts';
import { allows, type Statement, statementsOf } from '../support/iam.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ACCOUNT = 'eu-west-1:123456789012';
const TABLE = `arn:aws:dynamodb:${ACCOUNT}:table/slipway-prod`;
const BUCKET = 'arn:aws:s3:::slipway-prod-123456789012-eu-west-1';

let core: Template;
const clusters: Record<string, Template> = {};

beforeAll(async () => {
  const packaged = await packageStacks(join(ROOT, 'infra/aws/example.yaml'), () => {});
  core = await readTemplate(packaged.core.packaged);
  for (const { name, packaged: directory } of packaged.clusters)
    clusters[name] = await readTemplate(directory);
});

function clusterStack(name: string): Template {
  const template = clusters[name];
  if (!template) throw new Error(`no stack of ${name} was packaged`);
  return template;
}

function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.resources).filter(([, { Type }]) => Type === type);
}

function queue(name: string): string {
  return `arn:aws:sqs:${ACCOUNT}:slipway-prod-${name}`;
}

/** Everything that a role may do, one line each: action, resource, and the rows where it is a matter of rows. */
function rights(statements: readonly Statement[]): string[] {
  return statements
    .filter(({ sid }) => sid !== 'Log' && sid !== 'Trace')
    .flatMap(({ actions, resources, conditions }) => {
      const rows = conditions['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? [''];
      return actions.flatMap((action) =>
        resources.flatMap((resource) => rows.map((row) => `${action} ${resource} ${row}`.trim())),
      );
    })
    .sort();
}

describe('the role of the webhook function', () => {
  it('sends pushes and calls, puts large requests aside, puts and gets deliveries, looks receivers up, reads secrets of webhooks, and does nothing else', () => {
    expect(rights(statementsOf(core, 'WebhookRole'))).toEqual(
      [
        `sqs:SendMessage ${queue(QUEUES.push)}`,
        `sqs:SendMessage ${queue(QUEUES.cluster('*'))}`,
        `s3:GetObject ${BUCKET}/hooks/*`,
        `s3:PutObject ${BUCKET}/hooks/*`,
        `dynamodb:GetItem ${TABLE} index#deliveries#*`,
        `dynamodb:PutItem ${TABLE} index#deliveries#*`,
        `dynamodb:UpdateItem ${TABLE} index#deliveries#*`,
        `dynamodb:GetItem ${TABLE} index#receivers#*`,
        `dynamodb:Query ${TABLE} index#receivers#*`,
        ...['secretsmanager:GetSecretValue', 'ssm:GetParameter'].map(
          (action) => `${action} arn:aws:secretsmanager:${ACCOUNT}:secret:slipway/webhook-??????`,
        ),
      ].sort(),
    );
  });
});

describe('the roles of the other functions of the core stack', () => {
  it('give fan-out no secret at all', () => {
    const all = rights(statementsOf(core, 'FanoutRole'));
    expect(all.filter((right) => !/^(sqs|dynamodb):/.test(right))).toEqual([]);
    expect(all.filter((right) => right.startsWith('sqs:SendMessage'))).toEqual(
      [queue(QUEUES.cluster('*')), queue(QUEUES.delay), queue(QUEUES.notify)]
        .map((name) => `sqs:SendMessage ${name}`)
        .sort(),
    );
  });

  it('give the secret of a cluster to none of them', () => {
    for (const [role] of ofType(core, 'AWS::IAM::Role'))
      for (const secret of ['slipway/production', 'slipway/factory'])
        expect(
          allows(statementsOf(core, role), {
            action: 'secretsmanager:GetSecretValue',
            resource: `arn:aws:secretsmanager:${ACCOUNT}:secret:${secret}-abcdef`,
          }),
          `${role} ${secret}`,
        ).toBe(false);
  });

  it('let the pages read runs and nothing else', () => {
    expect(rights(statementsOf(core, 'ApiRole'))).toEqual(
      ['dynamodb:GetItem', 'dynamodb:Query']
        .flatMap((action) =>
          ['run', 'run-changes', 'runs'].map((kind) => `${action} ${TABLE} runs#${kind}#*`),
        )
        .sort(),
    );
  });

  it('let the tick and the forwarder send jobs, and the forwarder read no row', () => {
    expect(
      rights(statementsOf(core, 'ForwardRole')).filter((right) => right.startsWith('dynamodb:')),
    ).toEqual([]);
    const tick = rights(statementsOf(core, 'SweepRole'));
    expect(tick.filter((right) => /(Put|Update|Delete|Batch)/.test(right))).toEqual([
      `dynamodb:UpdateItem ${TABLE} index#ticks#*`,
    ]);
  });

  it('give each function a role of its own, and nobody a scan or an action by wildcard', () => {
    const functions = ofType(core, 'AWS::Lambda::Function');
    expect(new Set(functions.map(([, { Properties }]) => Properties.Role)).size).toBe(functions.length);
    for (const template of [core, ...Object.values(clusters)])
      for (const [role] of ofType(template, 'AWS::IAM::Role'))
        for (const { actions, resources, sid } of statementsOf(template, role)) {
          expect(
            actions.filter((action) => action.includes('*')),
            role,
          ).toEqual([]);
          expect(actions).not.toContain('dynamodb:Scan');
          if (!['Trace', 'NetworkInterfaces'].includes(sid)) expect(resources, role).not.toContain('*');
        }
  });
});

describe('the role of a cluster', () => {
  const NAMES = ['production', 'staging', 'west', 'factory'];
  const ROW_ACTIONS = ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];

  function mayTouch(name: string, partition: string): boolean[] {
    const statements = statementsOf(clusterStack(name), 'ReconcileRole');
    return ROW_ACTIONS.map((action) =>
      allows(statements, {
        action: `dynamodb:${action}`,
        resource: TABLE,
        keys: { 'dynamodb:LeadingKeys': [partition] },
      }),
    );
  }

  it('reads and writes every kind of row that belongs to the cluster', () => {
    for (const name of NAMES)
      for (const [table, kinds] of Object.entries(CLUSTER_KINDS))
        for (const kind of kinds)
          for (const partition of [`${table}#${kind}#${name}`, `${table}#${kind}#${name}#more#of it`])
            expect(mayTouch(name, partition), partition).not.toContain(false);
  });

  it('touches no row of another cluster, not even of one whose name begins or ends with its own', () => {
    for (const name of NAMES)
      for (const other of [...NAMES, `${name}-2`, `a-${name}`, `${name}s`].filter((each) => each !== name))
        for (const [table, kinds] of Object.entries(CLUSTER_KINDS))
          for (const kind of kinds)
            for (const partition of [
              `${table}#${kind}#${other}`,
              `${table}#${kind}#${other}#${name}`,
              `${table}#${kind}#${other}#x#${name}#y`,
            ])
              expect(mayTouch(name, partition), `${name}: ${partition}`).not.toContain(true);
  });

  it('touches neither deliveries nor ticks, and cannot scan', () => {
    for (const partition of ['index#deliveries#github', 'index#ticks#production'])
      expect(mayTouch('production', partition)).not.toContain(true);
    const statements = statementsOf(clusterStack('production'), 'ReconcileRole');
    for (const action of ['dynamodb:Scan', 'dynamodb:Query', 'dynamodb:DeleteTable'])
      expect(allows(statements, { action, resource: TABLE }), action).toBe(false);
  });

  it('writes rows of Receivers where it knows their secret path, and cannot list them', () => {
    const may = mayTouch('production', `index#receivers#sha256:${'a'.repeat(64)}`);
    expect(ROW_ACTIONS.filter((_, index) => !may[index])).toEqual(['Query', 'BatchWriteItem']);
  });

  it('takes turns with other clusters at the branches that images are written to, and cannot list them', () => {
    for (const partition of SHARED_PARTITIONS) {
      const may = mayTouch('production', `index#${partition}`);
      expect(ROW_ACTIONS.filter((_, index) => may[index])).toEqual(['GetItem', 'PutItem', 'DeleteItem']);
    }
  });

  it('reads the name of the installation, and cannot change it', () => {
    const may = mayTouch('production', 'index#installation');
    expect(ROW_ACTIONS.filter((_, index) => may[index])).toEqual(['GetItem']);
  });

  it('reads the secret of its cluster, those of the providers, its part of the fleet file, and no other secret', () => {
    const statements = statementsOf(clusterStack('production'), 'ReconcileRole');
    const secret = (name: string) => ({
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:aws:secretsmanager:${ACCOUNT}:secret:${name}-abcdef`,
    });
    const parameter = (name: string) => ({
      action: 'ssm:GetParameter',
      resource: `arn:aws:ssm:${ACCOUNT}:parameter/${name}`,
    });
    for (const request of [
      secret('slipway/production'),
      secret('slipway/github-app'),
      parameter('slipway-prod/clusters/production'),
    ])
      expect(allows(statements, request), request.resource).toBe(true);
    for (const request of [
      secret('slipway/factory'),
      secret('slipway/webhook'),
      secret('slipway/production-2'),
      parameter('slipway/staging'),
      parameter('slipway-prod/clusters/staging'),
    ])
      expect(allows(statements, request), request.resource).toBe(false);
  });

  it('keeps artifacts under the name of its cluster and reaches no others', () => {
    const statements = statementsOf(clusterStack('staging'), 'ReconcileRole');
    const may = (action: string, key: string) => allows(statements, { action, resource: `${BUCKET}/${key}` });
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']) {
      expect(may(action, 'artifacts/staging/GitRepository/a/b/c')).toBe(true);
      expect(may(action, 'artifacts/production/GitRepository/a/b/c')).toBe(false);
      expect(may(action, 'artifacts/staging-2/x')).toBe(false);
      expect(may(action, 'else/x')).toBe(false);
      expect(may(action, 'hooks/production/x')).toBe(false);
    }
    const list = (prefix?: string) =>
      allows(statements, {
        action: 's3:ListBucket',
        resource: BUCKET,
        ...(prefix === undefined ? {} : { keys: { 's3:prefix': [prefix] } }),
      });
    expect(list('artifacts/staging/GitRepository/')).toBe(true);
    expect([list(), list('artifacts/'), list('artifacts/production/x')]).toEqual([false, false, false]);
  });

  it('takes jobs of its own queue alone', () => {
    const statements = statementsOf(clusterStack('production'), 'ReconcileRole');
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:SendMessage']) {
      expect(allows(statements, { action, resource: queue(QUEUES.cluster('production')) })).toBe(true);
      expect(allows(statements, { action, resource: queue(QUEUES.cluster('staging')) })).toBe(false);
      expect(allows(statements, { action, resource: queue(QUEUES.push) })).toBe(false);
    }
    expect(allows(statements, { action: 'sqs:ReceiveMessage', resource: queue(QUEUES.delay) })).toBe(false);
  });

  it('asks for the address of its cluster of EKS, where the fleet file names one, and of no other', () => {
    const may = (name: string, cluster: string) =>
      allows(statementsOf(clusterStack(name), 'ReconcileRole'), {
        action: 'eks:DescribeCluster',
        resource: `arn:aws:eks:us-west-2:123456789012:cluster/${cluster}`,
      });
    expect([may('west', 'west'), may('west', 'east'), may('production', 'west')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is for the function alone, or for whoever the fleet file names in its place', () => {
    const trust = (name: string) =>
      clusterStack(name).resources.ReconcileRole?.Properties.AssumeRolePolicyDocument;
    expect(trust('production')).toMatchObject({
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }],
    });
    expect(trust('factory')).toMatchObject({
      Statement: [{ Effect: 'Allow', Principal: { AWS: ['arn:aws:iam::123456789012:role/factory-worker'] } }],
    });
    expect(ofType(clusterStack('factory'), 'AWS::Lambda::Function')).toEqual([]);
  });

  it('may make network interfaces only where the worker is in a network', () => {
    const may = (name: string) =>
      allows(statementsOf(clusterStack(name), 'ReconcileRole'), {
        action: 'ec2:CreateNetworkInterface',
        resource: 'x',
      });
    expect([may('production'), may('staging')]).toEqual([true, false]);
  });
});

describe('the templates', () => {
  it('hold at most 400 resources each, of the 500 that CloudFormation allows', () => {
    const counts = [core, ...Object.values(clusters)].map(({ resources }) => Object.keys(resources).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(400);
    expect(Math.min(...counts)).toBeGreaterThan(5);
  });

  it('have the functions, triggers and queues that the handlers expect', () => {
    for (const [name, shape] of Object.entries(FUNCTIONS)) {
      const template = name === 'reconcile' ? clusterStack('production') : core;
      const id = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}LambdaFunction`;
      const properties = template.resources[id]?.Properties ?? {};
      expect(properties, name).toMatchObject({ Timeout: shape.timeout, MemorySize: shape.memory });
      if (shape.trigger.kind !== 'queue') continue;
      const sources = ofType(template, 'AWS::Lambda::EventSourceMapping').map(
        ([, { Properties }]) => Properties,
      );
      const source = sources.find(({ FunctionName }) =>
        String(FunctionName).endsWith(`:${properties.FunctionName}`),
      );
      expect(source, name).toMatchObject({
        EventSourceArn: queue(shape.trigger.queue.replace('<name>', 'production')),
        BatchSize: shape.trigger.batchSize,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
    }
  });

  it('bring every path that webhooks are called at to their function', () => {
    const routes = ofType(core, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) =>
      String(Properties.RouteKey),
    );
    for (const path of FUNCTIONS.webhook.trigger.paths) {
      const method = /^\/(webhooks|hook)\//.test(path) ? 'POST' : 'GET';
      expect(routes).toContain(`${method} ${path}`);
    }
  });

  it('name queues as the functions do, encrypt them, and give each that is read a dead-letter queue', () => {
    const queues = [core, clusterStack('production')].flatMap((template) =>
      ofType(template, 'AWS::SQS::Queue'),
    );
    const byName = new Map(queues.map(([, { Properties }]) => [String(Properties.QueueName), Properties]));
    const names = [QUEUES.push, QUEUES.notify, QUEUES.cluster('production')];
    const dead = new Map(names.map((name) => [name, QUEUES.deadOf(name)]));
    dead.set(QUEUES.delay, QUEUES.delayDead);
    expect([...byName.keys()].sort()).toEqual(
      [...dead]
        .flat()
        .map((name) => `slipway-prod-${name}`)
        .sort(),
    );
    for (const [name, deadName] of dead)
      expect(byName.get(`slipway-prod-${name}`)).toMatchObject({
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: queue(deadName), maxReceiveCount: MAX_RECEIVE_COUNT },
      });
  });

  it('keep messages hidden for at least as long as a function may run', () => {
    for (const template of [core, clusterStack('production')])
      for (const [, { Properties: source }] of ofType(template, 'AWS::Lambda::EventSourceMapping')) {
        const target = ofType(template, 'AWS::Lambda::Function').find(([, { Properties }]) =>
          String(source.FunctionName).endsWith(`:${Properties.FunctionName}`),
        );
        const [, { Properties: read }] = ofType(template, 'AWS::SQS::Queue').find(([, { Properties }]) =>
          String(source.EventSourceArn).endsWith(`:${Properties.QueueName}`),
        ) as [string, Resource];
        expect(Number(read.VisibilityTimeout)).toBeGreaterThanOrEqual(Number(target?.[1].Properties.Timeout));
      }
  });

  it('keep the table and the bucket, whatever becomes of the stack', () => {
    const { Table, Bucket } = core.resources;
    expect(Table).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
    expect(Bucket).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    const { Rules } = (Bucket?.Properties.LifecycleConfiguration ?? {}) as {
      Rules?: Record<string, unknown>[];
    };
    expect((Rules ?? []).filter((rule) => 'ExpirationInDays' in rule).map(({ Prefix }) => Prefix)).toEqual([
      'artifacts/',
      'hooks/',
    ]);
  });

  it('tell of old messages, dead letters, errors, throttling and a missing tick, all at one address', () => {
    const alarms = [core, clusterStack('production')].flatMap((template) =>
      ofType(template, 'AWS::CloudWatch::Alarm'),
    );
    const watched = alarms.map(([, { Properties }]) => {
      const [dimension] = Properties.Dimensions as { Value: string }[];
      return `${Properties.MetricName} ${dimension?.Value}`;
    });
    for (const name of [QUEUES.push, QUEUES.notify, QUEUES.delay, QUEUES.cluster('production')])
      expect(watched).toContain(`ApproximateAgeOfOldestMessage slipway-prod-${name}`);
    for (const name of [QUEUES.push, QUEUES.notify, QUEUES.cluster('production')].map(QUEUES.deadOf))
      expect(watched).toContain(`ApproximateNumberOfMessagesVisible slipway-prod-${name}`);
    for (const name of [
      ...Object.keys(FUNCTIONS).filter((each) => each !== 'reconcile'),
      'reconcile-production',
    ])
      for (const metric of ['Errors', 'Throttles'])
        expect(watched).toContain(`${metric} slipway-prod-${name}`);
    expect(core.resources.TickMissing?.Properties).toMatchObject({
      MetricName: 'Invocations',
      TreatMissingData: 'breaching',
    });
    const topics = alarms.map(([, { Properties }]) => String(Properties.AlarmActions));
    expect(
      new Set(
        topics.map((topic) => topic.replace(/^AlarmTopic$/, `arn:aws:sns:${ACCOUNT}:slipway-prod-alarms`)),
      ),
    ).toEqual(new Set([`arn:aws:sns:${ACCOUNT}:slipway-prod-alarms`]));
  });

  it('have as many alarms as the calculation of costs says', () => {
    const count = (template: Template) => ofType(template, 'AWS::CloudWatch::Alarm').length;
    expect({ core: count(core), cluster: count(clusterStack('production')) }).toEqual(ALARMS);
  });

  it('hold a flood of requests back, and keep logs for a limited time', () => {
    expect(core.resources.WebhookLambdaFunction?.Properties.ReservedConcurrentExecutions).toBe(20);
    expect(core.resources.HttpApiStage?.Properties.DefaultRouteSettings).toMatchObject({
      ThrottlingRateLimit: 50,
      ThrottlingBurstLimit: 50,
    });
    for (const [, { Properties }] of ofType(core, 'AWS::Logs::LogGroup'))
      expect(Properties.RetentionInDays).toBe(30);
  });

  it('tell a worker of its own cluster alone', () => {
    const value = String(clusterStack('production').resources.Fleet?.Properties.Value);
    expect(value).toContain('slipway/production');
    for (const other of ['staging', 'factory', 'slipway/webhook']) expect(value).not.toContain(other);
  });

  it('put the worker of a private cluster into its network', () => {
    expect(clusterStack('production').resources.ReconcileLambdaFunction?.Properties.VpcConfig).toEqual({
      SubnetIds: ['subnet-0123456789abcdef0'],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    });
    expect(clusterStack('staging').resources.ReconcileLambdaFunction?.Properties.VpcConfig).toBeUndefined();
  });
});

describe('slipway deploy', () => {
  const example = join(ROOT, 'infra/aws/example.yaml');
  const nowhere = {
    HOME: '/nonexistent',
    // Whoever runs this may be signed in: nothing reaches AWS all the same.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_PROFILE: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  const deploy = (file: string, ...args: string[]) =>
    runCli(['--config', file, 'deploy', ...args], { cwd: ROOT, env: nowhere });

  async function withFile(
    change: (text: string) => string,
  ): Promise<{ path: string; remove(): Promise<void> }> {
    const directory = await temporaryDirectory();
    const path = join(directory.path, 'slipway.yaml');
    await writeFile(path, change(await readFile(example, 'utf8')));
    return { path, remove: () => directory.remove() };
  }

  it('says with --dry-run what it would make, without credentials', async () => {
    const { code, stdout, stderr } = await deploy(example, '--dry-run', '--cluster', 'staging');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line.startsWith('would deploy'));
    expect(lines).toEqual([
      expect.stringMatching(
        /^would deploy core: \d+ resources, among them 6 functions, 6 queues, 20 alarms$/,
      ),
      expect.stringMatching(
        /^would deploy staging: \d+ resources, among them 1 functions, 2 queues, 4 alarms$/,
      ),
    ]);
  });

  it('asks for an image before anything else, and for clusters that there are', async () => {
    const image = await deploy(example);
    expect(image).toMatchObject({ code: 1, stderr: expect.stringContaining('aws.image') });
    expect(image.stderr).toContain('production, staging, west run from it');
    const unknown = await deploy(example, '--cluster', 'nowhere');
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no cluster nowhere'),
    });
  });

  it('says how to get credentials, and what to add to a fleet file that does not speak of AWS', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const file = await withFile((text) =>
      text.replace('aws:\n', `aws:\n  image: registry.example.com/slipway@${digest}\n`),
    );
    const bare = await withFile(() => 'clusters: []\n');
    try {
      const { code, stderr } = await deploy(file.path);
      expect(code).toBe(1);
      expect(stderr).toMatch(/AWS cannot be used with the credentials of this shell: .*aws sso login/s);
      expect((await deploy(bare.path)).stderr).toContain(
        'has no section aws: add "aws: { region: eu-west-1 }"',
      );
    } finally {
      await Promise.all([file.remove(), bare.remove()]);
    }
  });
});
