import { acr } from './acr.ts';
import { distribution } from './distribution.ts';
import { dockerhub } from './dockerhub.ts';
import { ecr } from './ecr.ts';
import { gcr } from './gcr.ts';
import { generic } from './generic.ts';
import { ghcr } from './ghcr.ts';
import { harbor } from './harbor.ts';
import { nexus } from './nexus.ts';
import { quay } from './quay.ts';
import type { RegistryType } from './registry-type.ts';

/** The types of container registries, by the last part of their path: `/webhooks/registry/<type>`. */
export const registryTypes = {
  acr,
  distribution,
  dockerhub,
  ecr,
  gcr,
  generic,
  ghcr,
  harbor,
  nexus,
  quay,
} satisfies Record<string, RegistryType>;

/** The type of a name. @returns undefined when there is none */
export function registryType(name: string): RegistryType | undefined {
  return Object.hasOwn(registryTypes, name) ? registryTypes[name as keyof typeof registryTypes] : undefined;
}
