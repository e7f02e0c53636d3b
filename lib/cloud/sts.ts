import type { AwsApi } from './aws-api.ts';

/** Version of the API. */
export const STS_VERSION = '2011-06-15';

/**
 * Calls AWS's STS.
 * @param parameters of the action
 * @param region whose STS is asked. Default: that of the process
 * @returns a reader of the answer: the text of an element that holds nothing else and occurs once; empty when there is none
 * @throws AwsError
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonParameters.html
 */
export async function askSts(
  aws: Pick<AwsApi, 'call'>,
  action: string,
  parameters: Readonly<Record<string, string>>,
  region?: string,
): Promise<(element: string) => string> {
  const xml = await aws.call({
    service: 'sts',
    region,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: action, Version: STS_VERSION, ...parameters }).toString(),
  });
  return (element) => new RegExp(`<${element}>\\s*([^<\\s]+)\\s*</${element}>`).exec(xml)?.[1] ?? '';
}
