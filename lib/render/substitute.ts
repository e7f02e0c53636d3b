import type { Kustomization } from '../toolkit/kustomization.ts';
import type { BuildRequest } from './engine.ts';

/**
 * What the engine is to substitute after the build, or nothing when the Kustomization has no `postBuild`. Line breaks are
 * taken out of values, as Flux does: most come from Secrets made of files.
 * @param variables of `substituteFrom` and `substitute`, merged
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution
 */
export function substitution(
  postBuild: Kustomization['spec']['postBuild'],
  variables: Readonly<Record<string, string>>,
): BuildRequest['substitute'] {
  if (!postBuild) return undefined;
  const clean = Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\n', '')]);
  return { variables: Object.fromEntries(clean), always: postBuild.substituteStrategy === 'Always' };
}
