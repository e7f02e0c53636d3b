import { describe, expect, it } from 'vitest';
import { FUNCTIONS, MAX_FORWARDS, MAX_RECEIVE_COUNT, QUEUES } from '../../functions/aws/environment.ts';
import { ALARMS } from '../../infra/cost/idle-month.ts';
import type { Resource, Template } from '../support/cloudformation.ts';
import { ACCOUNT, ofType, packagedStacks, queue } from '../support/packaged-stacks.ts';

const { core, clusters, clusterStack } = await packagedStacks();

describe('the templates', () => {
  it('hold at most 400 resources each, of the 500 that CloudFormation allows', () => {
    const counts = [core, ...clusters].map(({ resources }) => Object.keys(resources).length);
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
        RedrivePolicy: {
          deadLetterTargetArn: queue(deadName),
          maxReceiveCount: name === QUEUES.delay ? MAX_FORWARDS : MAX_RECEIVE_COUNT,
        },
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

  it('tell of old messages, dead letters, errors, answers of 5xx, throttling and a missing tick, all at one address', () => {
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
    // A webhook that is answered with 503 is no error of its function.
    expect(watched).toContain('5xx HttpApi');
    for (const metric of ['ReadThrottleEvents', 'WriteThrottleEvents'])
      expect(watched).toContain(`${metric} slipway-prod`);
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
