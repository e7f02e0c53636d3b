import type { KubernetesObject } from '../core/object.ts';
import { crdNameOf, customResourceDefinitions } from './crd.ts';
import type { ToolkitKind } from './kind.ts';
import { objectSchema } from './object-schema.ts';
import { kinds } from './registry.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** How a CustomResourceDefinition found in a cluster compares with ours. */
export interface Compatibility {
  /** Our version of the kind can be read and written. */
  served: boolean;
  /**
   * Fields that we know and the installed one does not, such as `spec.ignore` or `spec.images[].digest`. The API server drops them or
   * refuses objects that set them. Fields below a missing field are not listed.
   */
  missing: string[];
}

interface InstalledSchema extends StructuralSchema {
  'x-kubernetes-preserve-unknown-fields'?: boolean;
}

interface InstalledVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: InstalledSchema };
}

/**
 * Compares an installed CustomResourceDefinition with ours.
 * @returns undefined when it is not of a kind that is reconciled
 */
export function compareCrd(installed: KubernetesObject): Compatibility | undefined {
  const kind = kindOfCrd(installed);
  if (!kind) return undefined;
  const version = versionsOf(installed).find(({ name, served }) => served && name === kind.version);
  if (!version) return { served: false, missing: [] };
  return {
    served: true,
    missing: missingFields(objectSchema(kind), version.schema?.openAPIV3Schema ?? {}, ''),
  };
}

/** The paths among `missing` (of {@link compareCrd}) that an object sets, so that it would lose them in that cluster. */
export function lostFields(object: KubernetesObject, missing: readonly string[]): string[] {
  return missing.filter((path) => isSetAt(object, path.split('.')));
}

/**
 * Our CustomResourceDefinition for a cluster that has one already: older versions stay, no longer stored, because the API server
 * refuses to drop a version in which objects may still be stored.
 * @returns undefined when it is not of a kind that is reconciled
 */
export function upgradeCrd(installed: KubernetesObject): KubernetesObject | undefined {
  const kind = kindOfCrd(installed);
  const ours = customResourceDefinitions().find(({ metadata }) => metadata.name === installed.metadata.name);
  if (!kind || !ours) return undefined;
  const older = versionsOf(installed)
    .filter(({ name }) => name !== kind.version)
    .map((version) => ({ ...version, storage: false }));
  return { ...ours, spec: { ...(ours.spec as object), versions: [...versionsOf(ours), ...older] } };
}

function kindOfCrd(crd: KubernetesObject): ToolkitKind | undefined {
  return kinds.find((kind) => crdNameOf(kind) === crd.metadata.name);
}

function versionsOf(crd: KubernetesObject): InstalledVersion[] {
  return (crd.spec as { versions?: InstalledVersion[] } | undefined)?.versions ?? [];
}

function missingFields(ours: StructuralSchema, theirs: InstalledSchema, path: string): string[] {
  if (theirs['x-kubernetes-preserve-unknown-fields']) return [];
  const missing: string[] = [];
  for (const [name, field] of Object.entries(ours.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`;
    const other = theirs.properties?.[name];
    if (other) missing.push(...missingFields(field, other, at));
    else missing.push(at);
  }
  if (ours.items) missing.push(...missingFields(ours.items, theirs.items ?? {}, `${path}[]`));
  return missing;
}

function isSetAt(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return value !== undefined;
  if (value === null || typeof value !== 'object') return false;
  const depth = step.split('[]').length - 1;
  const member = (value as Record<string, unknown>)[step.replaceAll('[]', '')];
  const members = depth === 0 ? [member] : Array.isArray(member) ? member.flat(depth - 1) : [];
  return members.some((one) => isSetAt(one, rest));
}
