import { isDeepStrictEqual } from 'node:util';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../core/object.ts';
import { parseApiVersion } from '../core/object.ts';
import { ownsPath } from './managed-fields.ts';
import { parsePointer, valueAt, withValueAt } from './pointer.ts';
import { parsePattern, parseSelector } from './selector.ts';
import type { DriftIgnoreRule, IgnoreTarget } from './types.ts';

/** A rule made ready: which objects it concerns, and its paths. */
export interface CompiledRule {
  matches(object: KubernetesObject): boolean;
  paths: string[][];
}

/**
 * Makes the rules of `spec.ignore` ready.
 * @throws ReconcileError `ReconciliationFailed` (stall) when a pointer, pattern or selector is wrong
 */
export function compileRules(rules: readonly DriftIgnoreRule[]): CompiledRule[] {
  return rules.map((rule, index) => {
    try {
      return { matches: compileTarget(rule.target), paths: rule.paths.map(segmentsOf) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ReconcileError('ReconciliationFailed', `spec.ignore[${index}]: ${message}`, {
        outcome: 'stall',
      });
    }
  });
}

function segmentsOf(pointer: string): string[] {
  const path = parsePointer(pointer);
  if (!path) throw new Error(`"${pointer}" is not a JSON pointer; it must look like /spec/replicas`);
  return path;
}

function compileTarget(target: IgnoreTarget | undefined): (object: KubernetesObject) => boolean {
  if (!target) return () => true;
  const pattern = (text: string | undefined) => (text ? parsePattern(text) : undefined);
  const [group, version, kind] = [pattern(target.group), pattern(target.version), pattern(target.kind)];
  const [name, namespace] = [pattern(target.name), pattern(target.namespace)];
  const labels = target.labelSelector ? parseSelector(target.labelSelector) : undefined;
  const annotations = target.annotationSelector ? parseSelector(target.annotationSelector) : undefined;
  return (object) => {
    const gv = parseApiVersion(object.apiVersion);
    return (
      (group?.test(gv.group) ?? true) &&
      (version?.test(gv.version) ?? true) &&
      (kind?.test(object.kind) ?? true) &&
      (name?.test(object.metadata.name) ?? true) &&
      (namespace?.test(object.metadata.namespace ?? '') ?? true) &&
      (labels?.(object.metadata.labels ?? {}) ?? true) &&
      (annotations?.(object.metadata.annotations ?? {}) ?? true)
    );
  };
}

/** The paths that the rules name for an object. */
export function ignoredPaths(rules: readonly CompiledRule[], object: KubernetesObject): string[][] {
  return rules.flatMap((rule) => (rule.matches(object) ? rule.paths : []));
}

/** A copy of an object without the fields at `paths`. */
export function without<T>(object: T, paths: readonly string[][]): T {
  return paths.reduce((result, path) => withValueAt(result, path, undefined), object);
}

/**
 * The manifest to send so that ignored fields which were changed in the cluster stay as they are: the live value is adopted,
 * or, where another manager applies the field (or it is gone), the field is left out so that we give it up.
 * https://fluxcd.io/flux/components/kustomize/kustomizations/#ignore-rules
 */
export function keepIgnored(
  desired: KubernetesObject,
  live: KubernetesObject,
  dryRun: KubernetesObject,
  paths: readonly string[][],
  fieldManager: string,
): KubernetesObject {
  const others = (live.metadata.managedFields ?? []).filter((entry) => appliedByOther(entry, fieldManager));
  return paths.reduce((payload, path) => {
    const value = valueAt(live, path);
    if (isDeepStrictEqual(value, valueAt(dryRun, path))) return payload;
    const foreign = others.some((entry) => ownsPath(entry.fieldsV1 ?? {}, live, path));
    return withValueAt(payload, path, foreign ? undefined : value);
  }, desired);
}

function appliedByOther(entry: ManagedFieldsEntry, fieldManager: string): boolean {
  return entry.operation === 'Apply' && !entry.subresource && entry.manager !== fieldManager;
}
