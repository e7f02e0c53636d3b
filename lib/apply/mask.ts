import type { KubernetesObject } from '../core/object.ts';
import { isMap, type JsonMap } from './pointer.ts';

const MASK = '***';
const BEFORE = '*** (before)';
const AFTER = '*** (after)';

/** It holds a whole manifest, values of Secrets included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Masks one map of values on both sides, so that a reader sees which changed but not to what. */
function maskValues(before: JsonMap, after: JsonMap): [JsonMap, JsonMap] {
  const masked = (values: JsonMap, others: JsonMap, changed: string): JsonMap =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        Object.hasOwn(others, key) && others[key] !== value ? changed : MASK,
      ]),
    );
  return [masked(before, after, BEFORE), masked(after, before, AFTER)];
}

/**
 * Two versions of an object, fit to be shown: values of Secrets and kubectl's copy of the manifest are masked. Which keys there
 * are, and which of them changed, stays visible.
 */
export function maskPair(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): [KubernetesObject | undefined, KubernetesObject | undefined] {
  let [a, b] = [before && maskAnnotation(before), after && maskAnnotation(after)];
  if ((before ?? after)?.kind !== 'Secret') return [a, b];
  for (const field of ['data', 'stringData'] as const) {
    const [from, to] = [a?.[field], b?.[field]];
    const [maskedFrom, maskedTo] = maskValues(isMap(from) ? from : {}, isMap(to) ? to : {});
    if (a && from !== undefined) a = { ...a, [field]: isMap(from) ? maskedFrom : MASK };
    if (b && to !== undefined) b = { ...b, [field]: isMap(to) ? maskedTo : MASK };
  }
  return [a, b];
}

function maskAnnotation(object: KubernetesObject): KubernetesObject {
  const { annotations } = object.metadata;
  if (annotations?.[LAST_APPLIED] === undefined) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: MASK } },
  };
}
