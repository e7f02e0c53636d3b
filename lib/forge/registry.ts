import { bitbucket } from './bitbucket.ts';
import { bitbucketServer } from './bitbucket-server.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import type { Forge } from './forge.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';

/** Makes the API client of a provider. */
export type ForgeFactory = (config: ForgeConfig, dependencies: ForgeDependencies) => Forge;

/** The providers, by the type in the fleet file. */
export const forges: Readonly<Record<string, ForgeFactory>> = {
  bitbucket,
  'bitbucket-server': bitbucketServer,
  gitea,
  github,
  gitlab,
};

/**
 * The API client of a provider.
 * @throws TypeError when its type is unknown
 */
export function createForge(config: ForgeConfig, dependencies: ForgeDependencies): Forge {
  const factory = Object.hasOwn(forges, config.type) ? forges[config.type] : undefined;
  if (!factory)
    throw new TypeError(
      `there is no Git provider of type ${config.type}; known are ${Object.keys(forges).join(', ')}`,
    );
  return factory(config, dependencies);
}
