import { acr } from './acr.ts';
import { bitbucket } from './bitbucket.ts';
import { cdevents } from './cdevents.ts';
import { dockerhub } from './dockerhub.ts';
import { gcr } from './gcr.ts';
import { generic } from './generic.ts';
import { genericHmac } from './generic-hmac.ts';
import { genericOidc } from './generic-oidc.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { harbor } from './harbor.ts';
import type { HookType } from './hook-type.ts';
import { nexus } from './nexus.ts';
import { quay } from './quay.ts';

/** The types of `Receiver` objects, by `spec.type`. */
export const hookTypes = {
  acr,
  bitbucket,
  cdevents,
  dockerhub,
  gcr,
  generic,
  'generic-hmac': genericHmac,
  'generic-oidc': genericOidc,
  github,
  gitlab,
  harbor,
  nexus,
  quay,
} satisfies Record<string, HookType>;

/** The type of a name. @returns undefined when there is none */
export function hookType(name: string): HookType | undefined {
  return Object.hasOwn(hookTypes, name) ? hookTypes[name as keyof typeof hookTypes] : undefined;
}
