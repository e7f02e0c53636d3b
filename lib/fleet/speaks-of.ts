import { asciiLowerCase } from '../core/ascii.ts';
import { normaliseRepository } from '../core/repository.ts';
import type { FleetProvider } from './provider.ts';

type Place = Pick<FleetProvider, 'name' | 'type' | 'url' | 'owners'>;

/**
 * Whether a repository belongs to an owner that a provider is for.
 * @param path of the repository below the provider's URL, such as `acme/fleet`
 */
export function isOwned({ type, owners }: Pick<Place, 'type' | 'owners'>, path: string): boolean {
  if (owners === undefined) return true;
  // Clone URLs of Bitbucket Server have a word of their own before the project.
  const plain = asciiLowerCase(path).replace(type === 'bitbucket-server' ? /^\/*(scm\/)?/ : /^\/+/, '');
  return owners.some((owner) => plain.startsWith(`${asciiLowerCase(owner)}/`));
}

/**
 * Whether webhooks of a provider may speak of a repository: it is at the provider's own address, or at another port of its host that no
 * other provider has (where SSH is), and belongs to an owner that the provider is for.
 * @param repository normalised, as `normaliseRepository` gives it
 * @param providers all of the fleet file
 */
export function speaksOf(provider: Place, repository: string, providers: readonly Place[]): boolean {
  const base = baseOf(provider);
  if (repository.startsWith(base)) return isOwned(provider, repository.slice(base.length));
  const host = repository.slice(0, repository.indexOf('/'));
  if (nameOf(host) !== nameOf(hostOf(base))) return false;
  const taken = providers.some((other) => hostOf(baseOf(other)) === host && host !== hostOf(base));
  return !taken && isOwned(provider, repository.slice(host.length + 1));
}

/** `host:port/path/` of a provider's URL, spelt as repositories are. */
function baseOf({ url }: Place): string {
  return (normaliseRepository(`${url}/x`) ?? '/x').slice(0, -1);
}

function hostOf(base: string): string {
  return base.slice(0, base.indexOf('/'));
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, '');
}
