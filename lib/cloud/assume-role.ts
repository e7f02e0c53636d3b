import type { AwsApi, AwsCredentials } from './aws-api.ts';
import { AwsError } from './aws-fault.ts';

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

/** So long before their end credentials are replaced, in ms. */
const MARGIN_MS = 5 * 60_000;

type Assumed = Awaited<ReturnType<AwsCredentials>> & { expiration: Date };

/**
 * The credentials of a role, assumed when they are first needed, kept, and replaced before they end.
 * @param aws calls as whoever may assume it
 * @param now epoch in ms
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumeRole(aws: Pick<AwsApi, 'call'>, role: AwsRole, now: () => number): AwsCredentials {
  let kept: Assumed | undefined;
  let asking: Promise<Assumed> | undefined;
  return async () => {
    if (kept && kept.expiration.getTime() - MARGIN_MS > now()) return kept;
    // Many calls may need it at once: one asks for all of them.
    asking ??= ask(aws, role).finally(() => {
      asking = undefined;
    });
    kept = await asking;
    return kept;
  };
}

/** @throws Error naming the role and what to do; AwsError */
async function ask(
  aws: Pick<AwsApi, 'call'>,
  { arn, externalId, session, region }: AwsRole,
): Promise<Assumed> {
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: session.slice(0, MAX_SESSION),
    DurationSeconds: String(SESSION_SECONDS),
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  });
  const answer = await aws
    .call({
      service: 'sts',
      region,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    })
    .catch((error: unknown) => {
      if (error instanceof AwsError && error.code.startsWith('AccessDenied'))
        throw new Error(
          `the role ${arn} cannot be assumed: this process needs the right sts:AssumeRole on it, and the trust policy of the role must name the identity of this process${externalId === undefined ? '' : ' and the externalId of the fleet file'}`,
          { cause: error },
        );
      throw error;
    });
  const field = (name: string) => new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(answer)?.[1] ?? '';
  const assumed = {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
    expiration: new Date(field('Expiration')),
  };
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = assumed;
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiration.getTime()))
    throw new Error(`sts gave no credentials of the role ${arn}`);
  return assumed;
}
