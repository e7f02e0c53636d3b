import { messageOf } from '../core/errors.ts';
import { parseImageName } from '../core/image-name.ts';
import { parsePattern } from '../image/policy/pattern.ts';
import { orderOf } from '../image/policy/registry.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import type { ToolkitObject } from '../toolkit/registry.ts';

/** What is wrong with an object whose fields are all well formed, and where. */
export interface Fault {
  path: string;
  message: string;
}

/** What of an image or a policy could not be used: its name, its patterns, its range. Found without a registry. */
export function imageFaults(object: ToolkitObject): Fault[] {
  if (object.kind === 'ImageRepository') return repositoryFaults(object);
  return object.kind === 'ImagePolicy' ? policyFaults(object) : [];
}

function repositoryFaults({ spec }: ImageRepository): Fault[] {
  const name = parseImageName(spec.image);
  const faults = spec.exclusionList.flatMap((pattern, index) =>
    attempt(`spec.exclusionList[${index}]`, () => parsePattern(pattern, 'the pattern')),
  );
  return name.ok ? faults : [{ path: 'spec.image', message: name.problem }, ...faults];
}

function policyFaults({ spec }: ImagePolicy): Fault[] {
  const pattern = spec.filterTags?.pattern ?? '';
  return [
    ...attempt(spec.policy.semver ? 'spec.policy.semver.range' : 'spec.policy', () => orderOf(spec.policy)),
    ...attempt('spec.filterTags.pattern', () => parsePattern(pattern, 'the pattern')),
  ];
}

function attempt(path: string, work: () => unknown): Fault[] {
  try {
    work();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}
