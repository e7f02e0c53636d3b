import { describe, expect, it } from 'vitest';
import { QUEUES } from '../../functions/aws/environment.ts';
import { CLUSTER_KINDS, SHARED_PARTITIONS } from '../../lib/store/partitions.ts';
import { allows, type Statement, statementsOf } from '../support/iam.ts';
import { ACCOUNT, BUCKET, ofType, packagedStacks, queue, TABLE } from '../support/packaged-stacks.ts';

const { core, clusters, clusterStack } = await packagedStacks();

const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';

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
        ...['secretsmanager:GetSecretValue', 'ssm:GetParameter'].flatMap((action) => [
          `${action} arn:aws:secretsmanager:${ACCOUNT}:secret:slipway/webhook-??????`,
          `${action} arn:aws:ssm:${ACCOUNT}:parameter/slipway/key`,
        ]),
        `kms:Decrypt ${KMS_KEY}`,
      ].sort(),
    );
  });
});

describe('a KMS key that the fleet file names', () => {
  const mayUse = (
    role: readonly Statement[],
    via: string | undefined,
    action = 'kms:Decrypt',
    resource = KMS_KEY,
  ) =>
    allows(role, { action, resource, ...(via === undefined ? {} : { keys: { 'kms:ViaService': [via] } }) });

  it('opens secrets for those who read some, by way of Secrets Manager and SSM alone, and seals nothing', () => {
    const readers = [
      statementsOf(core, 'WebhookRole'),
      statementsOf(clusterStack('production'), 'ReconcileRole'),
    ];
    for (const role of readers) {
      expect(mayUse(role, 'ssm.eu-west-1.amazonaws.com')).toBe(true);
      expect(mayUse(role, 'secretsmanager.eu-west-1.amazonaws.com')).toBe(true);
      expect(mayUse(role, 's3.eu-west-1.amazonaws.com')).toBe(false);
      expect(mayUse(role, undefined)).toBe(false);
      expect(
        mayUse(role, 'ssm.eu-west-1.amazonaws.com', 'kms:Decrypt', KMS_KEY.replace('1111', '9999')),
      ).toBe(false);
      for (const action of ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:CreateGrant', 'kms:ReEncryptFrom'])
        expect(mayUse(role, 'ssm.eu-west-1.amazonaws.com', action), action).toBe(false);
    }
  });

  it('opens nothing for functions that read no secret', () => {
    for (const role of ['FanoutRole', 'SweepRole', 'ForwardRole', 'ApiRole'])
      expect(mayUse(statementsOf(core, role), 'ssm.eu-west-1.amazonaws.com'), role).toBe(false);
  });
});

describe('the roles of the other functions of the core stack', () => {
  it('give fan-out no secret at all', () => {
    const all = rights(statementsOf(core, 'FanoutRole'));
    expect(all.filter((right) => !/^(sqs|dynamodb):/.test(right))).toEqual([]);
    expect(all.filter((right) => right.startsWith('sqs:SendMessage'))).toEqual(
      [queue(QUEUES.cluster('*')), queue(QUEUES.notify), queue(QUEUES.deadOf(QUEUES.push))]
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
      `dynamodb:UpdateItem ${TABLE} index#installation`,
      `dynamodb:UpdateItem ${TABLE} index#ticks#*`,
    ]);
  });

  it('give each function a role of its own, and nobody a scan or an action by wildcard', () => {
    const functions = ofType(core, 'AWS::Lambda::Function');
    expect(new Set(functions.map(([, { Properties }]) => Properties.Role)).size).toBe(functions.length);
    for (const template of [core, ...clusters])
      for (const [role] of ofType(template, 'AWS::IAM::Role'))
        for (const { actions, resources, sid } of statementsOf(template, role)) {
          expect(
            actions.filter((action) => action.includes('*')),
            role,
          ).toEqual([]);
          expect(actions).not.toContain('dynamodb:Scan');
          // Rights that AWS knows for no single resource.
          if (!['Trace', 'NetworkInterfaces', 'OpenRegistries', 'ProveIdentity'].includes(sid))
            expect(resources, role).not.toContain('*');
        }
  });
});

describe('the role of a cluster', () => {
  const NAMES = ['production', 'staging', 'west', 'partner', 'azure', 'factory'];
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

  it('assumes the role that the fleet file names for its cluster, and no other, and leaves the rest to that one', () => {
    const may = (name: string, action: string, resource: string) =>
      allows(statementsOf(clusterStack(name), 'ReconcileRole'), { action, resource });
    const role = (path: string) => `arn:aws:iam::210987654321:role/${path}`;
    expect(
      ['slipway', 'slipway-2', 'x/slipway', '*'].map((path) => may('partner', 'sts:AssumeRole', role(path))),
    ).toEqual([true, false, false, false]);
    const assuming = statementsOf(clusterStack('partner'), 'ReconcileRole').filter(({ actions }) =>
      actions.some((action) => /^(sts:|\*)/.test(action)),
    );
    expect(assuming.map(({ actions, resources }) => [actions, resources])).toEqual([
      [['sts:AssumeRole'], [role('slipway')]],
    ]);
    expect(
      may('partner', 'eks:DescribeCluster', 'arn:aws:eks:eu-central-1:123456789012:cluster/partner'),
    ).toBe(false);
    for (const name of ['production', 'staging', 'west', 'azure', 'factory'])
      expect(may(name, 'sts:AssumeRole', role('slipway')), name).toBe(false);
  });

  it('proves its AWS identity to Entra ID alone, for five minutes, where the fleet file says so', () => {
    const may = (name: string, audiences: string[] | undefined, seconds: number) =>
      allows(statementsOf(clusterStack(name), 'ReconcileRole'), {
        action: 'sts:GetWebIdentityToken',
        resource: '*',
        keys: {
          'sts:DurationSeconds': [String(seconds)],
          ...(audiences === undefined ? {} : { 'sts:IdentityTokenAudience': audiences }),
        },
      });
    const entra = 'api://AzureADTokenExchange';
    expect(may('azure', [entra], 300)).toBe(true);
    expect(may('azure', [entra], 301)).toBe(false);
    expect(may('azure', [entra, 'https://elsewhere.example'], 300)).toBe(false);
    expect(may('azure', undefined, 300)).toBe(false);
    for (const name of ['production', 'west', 'partner', 'factory'])
      expect(may(name, [entra], 300), name).toBe(false);
  });

  it('reads tags in ECR where the operator lets its cluster use that identity, and never an image or a write', () => {
    const may = (name: string, action: string) =>
      allows(statementsOf(clusterStack(name), 'ReconcileRole'), {
        action,
        resource: 'arn:aws:ecr:us-west-2:123456789012:repository/shop',
      });
    const reading = ['ecr:GetAuthorizationToken', 'ecr:ListImages', 'ecr:BatchGetImage'];
    expect(reading.map((action) => may('west', action))).toEqual([true, true, true]);
    expect(reading.map((action) => may('production', action))).toEqual([false, false, false]);
    expect(['ecr:GetDownloadUrlForLayer', 'ecr:PutImage'].map((action) => may('west', action))).toEqual([
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
