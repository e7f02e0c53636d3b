import type { KubeConnection } from '../kube/connection.ts';
import { assumeRole } from './assume-role.ts';
import type { AwsApi } from './aws-api.ts';
import { AwsError } from './aws-fault.ts';

/** A cluster of EKS, as the fleet file names it. */
export interface EksCluster {
  /** Its name in EKS. */
  name: string;
  /** Default: the region of the process. */
  region?: string | undefined;
  /** A role to assume first. Default: the identity of the process is used as it is. */
  roleArn?: string | undefined;
  /** Goes with the role. */
  externalId?: string | undefined;
}

/** How long the URL in a token may be used, in seconds; EKS accepts no longer one. */
const URL_SECONDS = 60;

/**
 * The token that EKS takes for the identity that signs it: a presigned call of `sts:GetCallerIdentity`, bound to one cluster by a signed
 * header. It is made here; no program is run and nothing is asked over the network for it.
 * @see https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
 */
export async function eksToken(aws: Pick<AwsApi, 'presign'>, cluster: EksCluster): Promise<string> {
  const url = await aws.presign(
    {
      service: 'sts',
      region: cluster.region,
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { 'x-k8s-aws-id': cluster.name },
    },
    URL_SECONDS,
  );
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
}

/** What `eks:DescribeCluster` says, as far as it is read. */
interface Description {
  cluster?: { status?: string; endpoint?: string; certificateAuthority?: { data?: string } };
}

/**
 * The connection to a cluster of EKS: its address and authority are looked up, its tokens are made as they are needed.
 * @param now epoch in ms
 * @throws Error naming the cluster and what to do; AwsError
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html
 */
export async function eksConnection(
  process: AwsApi,
  cluster: EksCluster,
  now: () => number,
): Promise<KubeConnection> {
  const { name, region } = cluster;
  const aws = callerFor(process, cluster, now);
  const path = `/clusters/${encodeURIComponent(name)}`;
  const answer = await aws
    .call({ service: 'eks', region, path })
    .catch((error: unknown) => advise(error, cluster, aws.region(region)));
  const { endpoint, certificateAuthority, status } = (JSON.parse(answer) as Description).cluster ?? {};
  if (!endpoint || !certificateAuthority?.data)
    throw new Error(
      `the EKS cluster ${name} has no address yet (status ${status ?? 'unknown'}); try again when it is active`,
    );
  return {
    server: endpoint,
    caData: Buffer.from(certificateAuthority.data, 'base64').toString('utf8'),
    // EKS refuses a token after 15 minutes; a new one is made then.
    tokenSource: () => eksToken(aws, cluster),
  };
}

function callerFor(
  aws: AwsApi,
  { name, region, roleArn, externalId }: EksCluster,
  now: () => number,
): AwsApi {
  if (roleArn === undefined) return aws;
  return aws.as(assumeRole(aws, { arn: roleArn, externalId, session: `slipway-${name}`, region }, now));
}

/** Says what to do about a refusal. @throws Error always */
function advise(error: unknown, { name, roleArn }: EksCluster, region: string): never {
  const { code, status, message } = error instanceof AwsError ? error : { code: '', status: -1, message: '' };
  if (code.startsWith('AccessDenied'))
    throw new Error(
      `${roleArn === undefined ? 'the identity of this process' : `the role ${roleArn}`} lacks the right eks:DescribeCluster on the EKS cluster ${name} in ${region}`,
      { cause: error },
    );
  if (status === 404)
    throw new Error(`${message}; look at name and region of eks (there is none in ${region})`, {
      cause: error,
    });
  throw error;
}
