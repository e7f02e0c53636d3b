import { domainOf } from '../../lib/cloud/aws-api.ts';
import type { Fleet } from '../../lib/fleet/fleet.ts';
import { accountOf } from './account.ts';

/**
 * The variables that name the installation which a fleet file has deployed, as `serverless.yml` names its table, bucket and queues.
 * @returns undefined when the file has no section `aws`
 * @throws Error when AWS cannot be asked for the account
 */
export async function installationOf({ aws, path }: Fleet): Promise<Record<string, string> | undefined> {
  if (!aws) return undefined;
  const { region } = aws;
  const prefix = `${aws.name}-${aws.stage}`;
  const account = await accountOf(region);
  return {
    SLIPWAY_FLEET: path,
    SLIPWAY_TABLE: prefix,
    SLIPWAY_BUCKET: `${prefix}-${account}-${region}`,
    SLIPWAY_QUEUES: `https://sqs.${region}.${domainOf(region)}/${account}/${prefix}-`,
  };
}
