import { compileClaimsPolicy } from '../cel/claims-policy.ts';
import { messageOf } from '../core/errors.ts';
import type { ToolkitObject } from '../toolkit/registry.ts';
import type { Fault } from './image-faults.ts';
import { compileFilter } from './receiver-filters.ts';

/** What of a Receiver could not be used although its fields are well formed: its expressions, and names that select nothing. */
export function receiverFaults(object: ToolkitObject): Fault[] {
  if (object.kind !== 'Receiver') return [];
  const { type, resourceFilter, resources, oidcProviders = [] } = object.spec;
  const filter = (path: string, text: string | undefined) =>
    text ? attempt(path, () => compileFilter(type, text)) : [];
  return [
    ...filter('spec.resourceFilter', resourceFilter),
    ...resources.flatMap((resource, index): Fault[] => [
      ...filter(`spec.resources[${index}].filter`, resource.filter),
      ...(resource.name === '*' && resource.matchLabels === undefined
        ? [{ path: `spec.resources[${index}].name`, message: 'the name * needs matchLabels' }]
        : []),
    ]),
    ...oidcProviders.flatMap(({ variables = [], validations }, index) =>
      attempt(`spec.oidcProviders[${index}]`, () => compileClaimsPolicy({ variables, validations })),
    ),
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
