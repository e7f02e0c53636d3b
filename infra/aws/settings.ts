import { stringify } from 'yaml';
import { ClusterAws, type FleetAws } from '../../lib/fleet/aws.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { type Parts, refuseUnreadable, secretArns, unreadable } from './secret-arns.ts';

/** A fleet file as it is written, before defaults: what the stacks get is cut from it. */
export type FleetDocument = Record<string, unknown> & {
  clusters?: { name: string }[];
  providers?: Record<string, unknown>[];
};

/** CloudFormation's way to name something in the account that is deployed to. */
export type Arn = string | { 'Fn::Sub': string };

interface StackSettings {
  name: string;
  stage: string;
  region: string;
  tags: Record<string, string>;
  tracing: boolean;
  logRetentionDays: number;
  kmsKeys: string[];
  /** Which of the lists are not empty: CloudFormation refuses statements without resources. */
  present: Record<string, 'yes' | 'no'>;
}

/** What `serverless.yml` reads from `.build/stack.json`. */
export interface CoreSettings extends StackSettings {
  alarmEmail: string;
  /** Null: none is reserved. */
  reservedConcurrency: number | null;
  requestsPerSecond: number;
  webhookSecrets: Arn[];
  providerSecrets: Arn[];
}

/** What `infra/cluster/serverless.yml` reads from `.build/cluster-<name>.json`. */
export interface ClusterSettings extends StackSettings {
  worker: 'lambda' | 'own';
  principal: { Service: string } | { AWS: string[] };
  image: string;
  memory: number;
  storage: number;
  concurrency: number;
  vpc: { subnetIds: string[]; securityGroupIds: string[] } | null;
  secrets: Arn[];
  /** Clusters of EKS whose address is asked for. */
  eks: Arn[];
  /** Roles that are assumed to reach it. */
  roles: Arn[];
  /** The fleet file without other clusters and without secrets of webhooks. */
  fleet: string;
}

/** Stands where no image was named, so that everything can be packaged before one is built. */
export const NO_IMAGE = `000000000000.dkr.ecr.us-east-1.amazonaws.com/slipway@sha256:${'0'.repeat(64)}`;

/** SSM's limit of a parameter, in bytes. */
const MAX_PARAMETER_BYTES = 8_192;

/** Lambda's limits of concurrency for a queue. */
const CONCURRENCY = { least: 2, most: 1_000 };

/**
 * Looks through a whole fleet file for secrets that no function could read.
 * @throws Error naming them all
 */
export function checkSecrets(fleet: Fleet): void {
  const served = fleet.clusters.filter(({ aws }) => aws?.worker === undefined);
  refuseUnreadable([
    ...unreadable([...partsOfWebhook(fleet), ...partsOfProviders(fleet)]),
    ...served.flatMap((cluster) => unreadable(partsOfCluster(fleet, cluster))),
  ]);
}

/** What the webhook function reads. Tokens of Receivers are sealed with the key of the storage. */
function partsOfWebhook({ providers, registries, storage }: Fleet): Parts {
  const told = [...providers, ...registries].map(({ name, webhookSecrets }): Parts[number] => [
    name,
    webhookSecrets,
  ]);
  return [...told, ['storage.key', storage.key]];
}

function partsOfProviders({ providers }: Fleet): Parts {
  return providers.map(({ name, webhookSecrets: _, ...rest }) => [name, rest]);
}

function partsOfCluster(fleet: Fleet, cluster: Fleet['clusters'][number]): Parts {
  return [[cluster.name, cluster], ['storage.key', fleet.storage.key], ...partsOfProviders(fleet)];
}

/**
 * What the core stack needs to know.
 * @throws Error naming every secret that a function could not read
 */
export function coreSettings(fleet: Fleet): CoreSettings {
  const aws = awsOf(fleet);
  const webhookSecrets = secretArns(partsOfWebhook(fleet));
  const providerSecrets = secretArns(partsOfProviders(fleet));
  return {
    ...commonSettings(aws, { webhookSecrets, providerSecrets, alarmEmail: aws.alarmEmail ?? '' }),
    alarmEmail: aws.alarmEmail ?? '',
    reservedConcurrency: aws.reservedConcurrency === 0 ? null : aws.reservedConcurrency,
    requestsPerSecond: aws.requestsPerSecond,
    webhookSecrets,
    providerSecrets,
  };
}

/**
 * What the stack of one cluster needs to know.
 * @param document the fleet file as it is written
 * @throws Error when a secret could not be read there, or its part of the fleet file is too long
 */
export function clusterSettings(fleet: Fleet, name: string, document: FleetDocument): ClusterSettings {
  const aws = awsOf(fleet);
  const cluster = fleet.clusters.find((each) => each.name === name);
  if (!cluster) throw new Error(`there is no cluster ${name} in ${fleet.path}`);
  const own = cluster.aws ?? ClusterAws.parse({});
  const text = stringify(fleetOfCluster(document, name));
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PARAMETER_BYTES)
    throw new Error(
      `what ${fleet.path} says of cluster ${name} has ${bytes} bytes, a parameter holds ${MAX_PARAMETER_BYTES}: shorten network.allow or the providers' owners`,
    );
  const secrets = secretArns(partsOfCluster(fleet, cluster), own.worker !== undefined);
  // A role that is assumed asks for the address itself.
  const eks =
    cluster.eks && cluster.eks.roleArn === undefined
      ? [
          {
            'Fn::Sub': `arn:\${AWS::Partition}:eks:${cluster.eks.region ?? `\${AWS::Region}`}:\${AWS::AccountId}:cluster/${cluster.eks.name}`,
          },
        ]
      : [];
  const roles = cluster.eks?.roleArn === undefined ? [] : [cluster.eks.roleArn];
  const identityTokens = cluster.aks?.awsFederation === undefined ? [] : ['aks'];
  const registries = cluster.registryIdentities.filter((cloud) => cloud === 'aws');
  const { subnets, securityGroups } = own;
  const vpc = subnets && securityGroups ? { subnetIds: subnets, securityGroupIds: securityGroups } : null;
  return {
    ...commonSettings(aws, { secrets, vpc: subnets ?? [], eks, roles, identityTokens, registries }),
    worker: own.worker === undefined ? 'lambda' : 'own',
    principal: own.worker === undefined ? { Service: 'lambda.amazonaws.com' } : { AWS: own.worker },
    image: aws.image ?? NO_IMAGE,
    memory: own.memory,
    storage: own.storage,
    concurrency: Math.min(CONCURRENCY.most, Math.max(CONCURRENCY.least, fleet.limits.concurrency)),
    vpc,
    secrets,
    eks,
    roles,
    fleet: text,
  };
}

/** The fleet file for the worker of one cluster: it learns of no other one, and cannot check webhooks. */
export function fleetOfCluster(document: FleetDocument, name: string): FleetDocument {
  const { aws: _, clusters = [], providers = [], ...rest } = document;
  return {
    ...rest,
    clusters: clusters.filter((cluster) => cluster.name === name),
    providers: providers.map(({ webhookSecrets: __, ...provider }) => provider),
  };
}

/** The fleet file for the webhook function: providers alone. */
export function fleetOfWebhook(document: FleetDocument): FleetDocument {
  const { clusters: _, ...rest } = document;
  return rest;
}

function awsOf(fleet: Fleet): FleetAws {
  if (!fleet.aws)
    throw new Error(
      `${fleet.path} has no section aws: add "aws: { region: eu-west-1 }", see docs/deploy-aws.md`,
    );
  return fleet.aws;
}

function commonSettings(aws: FleetAws, lists: Record<string, { length: number }>): StackSettings {
  const { name, stage, region, tags, tracing, logRetentionDays, kmsKeys } = aws;
  const present = Object.entries({ ...lists, kmsKeys }).map(([key, { length }]) => [
    key,
    length > 0 ? 'yes' : 'no',
  ]);
  return {
    name,
    stage,
    region,
    tags,
    tracing,
    logRetentionDays,
    kmsKeys,
    present: Object.fromEntries(present) as StackSettings['present'],
  };
}
