import { normaliseRepository } from '../core/repository.ts';
import { rootProviderOf } from '../fleet/fleet.ts';
import type { SourceInputs } from '../source/source.ts';
import { isRoot } from '../toolkit/bootstrap.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { Context, Provider } from './context.ts';
import type { Run } from './run.ts';

/** A repository at a provider of the fleet file. */
export interface Project {
  provider: Provider;
  /** `owner/name`, as the clone URL spells it. */
  project: string;
}

/** The provider and project behind a clone URL, or undefined when no provider of the fleet file is at its host. */
export function projectOf(ctx: Pick<Context, 'providers'>, url: string): Project | undefined {
  const normalised = normaliseRepository(url);
  if (normalised === undefined) return undefined;
  const host = normalised.slice(0, normalised.indexOf('/'));
  const path = url.replace(/^[a-z+]+:\/\/[^/]+\//i, '').replace(/^[^/@]+@[^:/]+:/, '');
  const provider = ctx.providers.find(
    (candidate) => sameHost(candidate.host, host, url) && (candidate.owns?.(path) ?? true),
  );
  if (!provider) return undefined;
  return { provider, project: path.replace(/\/+$/, '').replace(/\.git$/, '') };
}

/**
 * The credential of the fleet file for a source: for the root object that the operator wrote there, at the URL written there,
 * and for nothing else. Any other object may be a tenant's, who must bring a Secret.
 */
export function fleetCredentials(
  run: Pick<Run, 'cluster' | 'ref'> & { ctx: Pick<Context, 'fleet' | 'providers'> },
  object: GitRepository,
): SourceInputs['fleetCredentials'] {
  const { config } = run.cluster;
  if (!isRoot(run.ref) || object.spec.url !== config.source.url) return undefined;
  // By scheme, host and path: the token must not go to a plain-text or a look-alike address.
  const name = rootProviderOf(run.ctx.fleet, config)?.name;
  const provider = run.ctx.providers.find((candidate) => candidate.name === name);
  return provider ? () => provider.forge.gitCredentials() : undefined;
}

/** SSH goes to another port than the web pages of the same provider. */
function sameHost(provider: string, host: string, url: string): boolean {
  if (provider === host) return true;
  const ssh = url.startsWith('ssh:') || !url.includes('://');
  return ssh && provider.replace(/:\d+$/, '') === host.replace(/:\d+$/, '');
}
