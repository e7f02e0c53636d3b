import type { KubernetesObject } from '../../core/object.ts';
import { parseApiVersion } from '../../core/object.ts';
import { apiServiceHealth } from './api-service.ts';
import { customResourceDefinitionHealth } from './custom-resource-definition.ts';
import { daemonSetHealth } from './daemon-set.ts';
import { deploymentHealth } from './deployment.ts';
import { alwaysCurrent, genericHealth, readyHealth } from './generic.ts';
import type { Health, HealthRule } from './health.ts';
import { jobHealth, vanishesWhenDone } from './job.ts';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.ts';
import { podHealth } from './pod.ts';
import { podDisruptionBudgetHealth } from './pod-disruption-budget.ts';
import { replicaSetHealth } from './replica-set.ts';
import { serviceHealth } from './service.ts';
import { statefulSetHealth } from './stateful-set.ts';
import { isToolkit, toolkitHealth } from './toolkit.ts';

/** The rules by `group/kind`; one line adds a kind. */
const RULES: Readonly<Record<string, HealthRule>> = {
  '/ConfigMap': alwaysCurrent,
  '/PersistentVolumeClaim': persistentVolumeClaimHealth,
  '/Pod': podHealth,
  '/Secret': alwaysCurrent,
  '/Service': serviceHealth,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinitionHealth,
  'apiregistration.k8s.io/APIService': apiServiceHealth,
  'apps/DaemonSet': daemonSetHealth,
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'batch/CronJob': alwaysCurrent,
  'batch/Job': jobHealth,
  'policy/PodDisruptionBudget': podDisruptionBudgetHealth,
};

/**
 * How far an object is, by the rules of kstatus as Flux uses them. The object must be whole, with its status; this looks at
 * nothing else.
 * @param now epoch in ms; only a pod that no node takes depends on it
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function healthOf(object: KubernetesObject, now?: number): Health {
  const generic = genericHealth(object);
  if (generic) return generic;
  const key = `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : isToolkit(object) ? toolkitHealth : readyHealth;
  return (rule ?? readyHealth)(object, now);
}

/**
 * The health of an object that does not exist.
 * @param desired as it was applied
 */
export function healthOfMissing(desired: KubernetesObject): Health {
  return vanishesWhenDone(desired)
    ? { status: 'Current', message: 'done and deleted (ttlSecondsAfterFinished)' }
    : { status: 'NotFound', message: 'it does not exist' };
}
