import { messageOf } from '../../lib/core/errors.ts';
import { lazyAwsApi } from '../open-aws-api.ts';

/** Whose credentials this process has. @throws Error saying how to get some */
export async function accountOf(region: string): Promise<string> {
  try {
    const answer = await (await lazyAwsApi(region)()).call({
      service: 'sts',
      region,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    return /<Account>(\d+)<\/Account>/.exec(answer)?.[1] ?? '';
  } catch (error) {
    throw new Error(
      `AWS cannot be used with the credentials of this shell: ${messageOf(error)}. Sign in ("aws sso login"), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
      { cause: error },
    );
  }
}
