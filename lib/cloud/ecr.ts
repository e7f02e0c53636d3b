import { ecrApi, type OpenAws } from './aws-json.ts';
import type { RegistryCloud } from './registry-login.ts';

const HOST = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

interface Answer {
  authorizationData?: { authorizationToken?: string; expiresAt?: number }[];
}

/**
 * Registries of Amazon ECR. The token is asked for in the region of the registry.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
export function createEcr(open: OpenAws): RegistryCloud {
  const ecr = ecrApi(open);
  return {
    owns: (host) => HOST.test(host),
    async login(host) {
      const [, region] = HOST.exec(host) ?? [];
      const { authorizationData = [] } = await ecr<Answer>('GetAuthorizationToken', {}, { region });
      const [data] = authorizationData;
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
