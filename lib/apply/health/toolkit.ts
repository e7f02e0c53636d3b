import type { KubernetesObject } from '../../core/object.ts';
import { parseApiVersion } from '../../core/object.ts';
import { conditionOf, current, type Health, inProgress, int, said, text } from './health.ts';

/** Kinds that only hold settings: no controller writes a status. */
const STATIC: ReadonlySet<string> = new Set(['Alert', 'Provider']);

/** Whether an object is of the GitOps Toolkit. */
export function isToolkit(object: KubernetesObject): boolean {
  return parseApiVersion(object.apiVersion).group.endsWith('.toolkit.fluxcd.io');
}

/**
 * A Toolkit object is current only when it is Ready at its newest generation: one that nobody has looked at yet has no
 * conditions, and must not pass for healthy.
 */
export function toolkitHealth(object: KubernetesObject): Health {
  const isOci = object.kind === 'HelmRepository' && text(object, 'spec', 'type') === 'oci';
  if (STATIC.has(object.kind) || isOci) return current('holds settings only');
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined) return inProgress('not reconciled yet');
  const observed = int(object, 'status', 'observedGeneration') ?? ready.observedGeneration;
  const { generation } = object.metadata;
  if (generation !== undefined && observed !== generation) {
    return inProgress(`generation ${generation} has not been reconciled yet`);
  }
  return ready.status === 'True' ? current(said(ready)) : inProgress(said(ready));
}
