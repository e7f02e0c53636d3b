import type { AwsApi, AwsCredentials } from './aws-api.ts';
import { AwsError } from './aws-fault.ts';
import { keep, type Lasting } from './kept.ts';
import { askSts } from './sts.ts';

/** A role, as the fleet file names it. */
export interface AwsRole {
  arn: string;
  /** What its trust policy asks for as `sts:ExternalId`. */
  externalId?: string | undefined;
  /** Names the session in the logs of the account that the role belongs to: letters, digits, `_` and `-`. Longer ones are cut. */
  session: string;
  /** Whose STS is asked. Default: that of the process. */
  region?: string | undefined;
}

/** AWS's limit of the name of a session. */
const MAX_SESSION = 64;

/** An hour is the most there is for a role that assumes another one, in seconds. */
const SESSION_SECONDS = 3_600;

type Assumed = Awaited<ReturnType<AwsCredentials>>;

/**
 * The credentials of a role, assumed when they are first needed, kept, and replaced before they end.
 * @param aws calls as whoever may assume it
 * @param now epoch in ms
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumeRole(aws: Pick<AwsApi, 'call'>, role: AwsRole, now: () => number): AwsCredentials {
  const credentials = keep(() => ask(aws, role), now);
  return () => credentials();
}

/** @throws Error naming the role and what to do; AwsError */
async function ask(
  aws: Pick<AwsApi, 'call'>,
  { arn, externalId, session, region }: AwsRole,
): Promise<Lasting<Assumed>> {
  const parameters = {
    RoleArn: arn,
    RoleSessionName: session.slice(0, MAX_SESSION),
    DurationSeconds: String(SESSION_SECONDS),
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  };
  const read = await askSts(aws, 'AssumeRole', parameters, region).catch((error: unknown) => {
    if (error instanceof AwsError && error.code.startsWith('AccessDenied'))
      throw new Error(
        `the role ${arn} cannot be assumed: this process needs the right sts:AssumeRole on it, and the trust policy of the role must name the identity of this process${externalId === undefined ? '' : ' and the externalId of the fleet file'}`,
        { cause: error },
      );
    throw error;
  });
  const accessKeyId = read('AccessKeyId');
  const secretAccessKey = read('SecretAccessKey');
  const sessionToken = read('SessionToken');
  const expiresAt = Date.parse(read('Expiration'));
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt))
    throw new Error(`sts gave no credentials of the role ${arn}`);
  return {
    value: { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAt) },
    expiresAt,
  };
}
