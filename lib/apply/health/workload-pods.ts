import type { KubernetesObject } from '../../core/object.ts';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import { at, conditionOf, int, text } from './health.ts';

const POD = { group: '', version: 'v1', kind: 'Pod' };
const REPLICA_SET = { group: 'apps', version: 'v1', kind: 'ReplicaSet' };
const REVISION = 'deployment.kubernetes.io/revision';

/** A rollout that went on this recently is not looked into, in ms: containers crash some times before they back off. */
const QUIET = 10_000;

/**
 * The pods of a workload's newest template. Pods of older templates say nothing about it: they may well be crashing,
 * which is why somebody pushed a new one.
 * @param now epoch in ms
 * @returns none when they cannot be told apart, may not be read, or it is too early to ask
 */
export async function newestPods(
  client: KubeClient,
  object: KubernetesObject,
  now: number,
): Promise<KubernetesObject[]> {
  const namespace = object.metadata.namespace ?? '';
  const selector = selectorOf(object);
  if (selector === '' || int(object, 'status', 'observedGeneration') !== object.metadata.generation)
    return [];
  if (now - lastProgress(object) < QUIET) return [];
  try {
    const newest = await templateLabel(client, object, selector);
    if (newest === undefined) return [];
    const labelSelector = [selector, newest].filter((part) => part !== '').join(',');
    return (await client.list(POD, { namespace, labelSelector })).items;
  } catch (error) {
    // A tenant's account may not read pods; then the workload's own status has to do.
    if (error instanceof KubeError) return [];
    throw error;
  }
}

/** The label that pods of the newest template carry, as a selector; empty when all of them are. */
async function templateLabel(
  client: KubeClient,
  object: KubernetesObject,
  selector: string,
): Promise<string | undefined> {
  if (object.kind === 'ReplicaSet') return '';
  if (object.kind === 'StatefulSet') {
    const revision = text(object, 'status', 'updateRevision');
    return revision === '' ? undefined : `controller-revision-hash=${revision}`;
  }
  const revision = object.metadata.annotations?.[REVISION];
  const { items } = await client.listMetadata(REPLICA_SET, {
    namespace: object.metadata.namespace ?? '',
    labelSelector: selector,
  });
  const newest = items.find(
    ({ metadata }) =>
      metadata.annotations?.[REVISION] === revision &&
      metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid),
  );
  const hash = newest?.metadata.labels?.['pod-template-hash'];
  return hash === undefined || revision === undefined ? undefined : `pod-template-hash=${hash}`;
}

function lastProgress(object: KubernetesObject): number {
  const progressing = conditionOf(object, 'Progressing');
  const time = Date.parse(progressing?.lastUpdateTime ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/**
 * `spec.selector` as the API takes it in a query; empty when there is none or it holds something unknown.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function selectorOf(object: KubernetesObject): string {
  const selector = at(object, ['spec', 'selector']) as LabelSelector | undefined;
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`;
      case 'NotIn':
        return `${key} notin (${values.join(',')})`;
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return undefined;
    }
  });
  const known = expressions.filter((expression) => expression !== undefined);
  return known.length < expressions.length ? '' : [...labels, ...known].join(',');
}

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
