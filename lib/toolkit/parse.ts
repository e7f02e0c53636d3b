import { describe, formatApiVersion, gvkOf, type KubernetesObject } from '../core/object.ts';
import { suggest } from '../core/suggest.ts';
import { formatPath, validate } from '../core/validate.ts';
import { objectSchema } from './object-schema.ts';
import { findKind, isToolkitGroup, kindsOf, type ToolkitObject } from './registry.ts';
import { withoutDefaultedNulls } from './structural-schema.ts';

/** What is wrong with an object. `message` is complete: it names the object, the path and the fault. */
export interface ToolkitError {
  /** Such as `spec.interval`; empty when the object as a whole is concerned. */
  path: string;
  message: string;
}

/** The object with its defaults set, or all that is wrong with it. */
export type ParseResult = { ok: true; object: ToolkitObject } | { ok: false; errors: ToolkitError[] };

/**
 * Parses an object of a Toolkit kind, from a cluster or from a file. Unknown kinds, versions and fields of `spec` are errors, never
 * passed over; unknown fields of `status` are kept. Messages hold no values of the object.
 */
export function parseToolkitObject(object: KubernetesObject): ParseResult {
  const { group, version, kind } = gvkOf(object);
  const name = describe({
    kind,
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  });
  const known = findKind(group, kind);
  if (!known) return fault(name, 'kind', unknownKind(group, kind));
  if (!known.supported)
    return fault(
      name,
      'kind',
      `${kind} is not supported yet; this object has no effect, remove it or keep Flux for it`,
    );
  if (version !== known.version)
    return fault(
      name,
      'apiVersion',
      `${object.apiVersion} is not supported, change it to ${formatApiVersion(known)}`,
    );
  const result = validate(known.schema, withoutDefaultedNulls(object, objectSchema(known)));
  if (result.ok) return { ok: true, object: result.value as unknown as ToolkitObject };
  return {
    ok: false,
    errors: result.problems.map((problem) => {
      const path = formatPath(problem.path);
      return { path, message: `${name}: ${path}: ${problem.message}` };
    }),
  };
}

function unknownKind(group: string, kind: string): string {
  if (!isToolkitGroup(group))
    return `${kind} in group ${group === '' ? 'core' : group} is not a Toolkit kind`;
  const known = kindsOf(group);
  const meant = suggest(kind, known);
  if (meant !== undefined) return `there is no kind ${kind} in ${group}; did you mean ${meant}?`;
  return known.length === 0
    ? `the group ${group} is not known`
    : `there is no kind ${kind} in ${group}; its kinds are ${known.join(', ')}`;
}

function fault(name: string, path: string, message: string): ParseResult {
  return { ok: false, errors: [{ path, message: `${name}: ${path}: ${message}` }] };
}
