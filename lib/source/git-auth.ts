import { authFromSecret, authFromUrl, basicOf, type GitAuth, withProxy } from '../git/auth.ts';
import type { GitUrl } from '../git/url.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { failure } from './git-failure.ts';
import { holdsGitHubApp } from './github-app.ts';
import type { SecretData, SourceInputs } from './source.ts';

/** Makes a short-lived credential for `spec.provider` github, azure or aws. */
export type ProviderCredentials = (
  provider: 'github' | 'azure' | 'aws',
  request: { object: GitRepository; url: GitUrl; secret: SecretData | undefined },
) => Promise<{ username: string; password: string } | { bearer: string }>;

/**
 * Who we are to the server: the object's own secret, the provider's token, the fleet file's credentials for a root source, or
 * what the URL holds; in this order.
 */
export async function authFor(
  object: GitRepository,
  url: GitUrl,
  inputs: Pick<SourceInputs, 'secret' | 'fleetCredentials'>,
  provide: ProviderCredentials | undefined,
): Promise<GitAuth> {
  const { spec } = object;
  const secret = spec.secretRef ? await inputs.secret(spec.secretRef.name) : undefined;
  const auth = await ownAuth();
  return spec.proxySecretRef ? withProxy(auth, await inputs.secret(spec.proxySecretRef.name)) : auth;

  async function ownAuth(): Promise<GitAuth> {
    if (spec.provider !== undefined && spec.provider !== 'generic') return providerAuth(spec.provider);
    if (secret && holdsGitHubApp(secret)) {
      throw misconfigured('the secret of spec.secretRef holds a GitHub App; set spec.provider to github');
    }
    if (secret) return authFromSecret(url, secret);
    const fleet = await inputs.fleetCredentials?.();
    if (fleet && url.scheme !== 'ssh') return { basic: basicOf(fleet.username, fleet.password) };
    return authFromUrl(url);
  }

  async function providerAuth(provider: 'github' | 'azure' | 'aws'): Promise<GitAuth> {
    if (url.scheme === 'ssh') throw misconfigured(`spec.provider ${provider} works with https URLs only`);
    if (!provide) throw misconfigured(`spec.provider ${provider} is not available here`);
    const credential = await provide(provider, { object, url, secret });
    const { ca } = authFromSecret(url, secret ?? {});
    const base: GitAuth = ca === undefined ? {} : { ca };
    if ('bearer' in credential) return { ...base, bearer: credential.bearer };
    return { ...base, basic: basicOf(credential.username, credential.password) };
  }

  function misconfigured(message: string): Error {
    return failure(object, 'InvalidProviderConfiguration', message, { outcome: 'stall' });
  }
}
