import type { AwsApi } from './aws-api.ts';
import type { RegistryCloud } from './registry-login.ts';

const HOST = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

interface Answer {
  authorizationData?: { authorizationToken?: string; expiresAt?: number }[];
}

/**
 * Registries of Amazon ECR. The token is asked for in the region of the registry.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
export function createEcr(aws: () => Promise<Pick<AwsApi, 'call'>>): RegistryCloud {
  return {
    owns: (host) => HOST.test(host),
    async login(host) {
      const [, region] = HOST.exec(host) ?? [];
      const answer = await (await aws()).call({
        service: 'ecr',
        region,
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
        },
        body: '{}',
      });
      const [data] = (JSON.parse(answer) as Answer).authorizationData ?? [];
      const pair = Buffer.from(data?.authorizationToken ?? '', 'base64').toString('utf8');
      const colon = pair.indexOf(':');
      if (colon < 1) throw new Error('ecr gave no token');
      return {
        username: pair.slice(0, colon),
        password: pair.slice(colon + 1),
        expiresAt: (data?.expiresAt ?? 0) * 1_000,
      };
    },
  };
}
