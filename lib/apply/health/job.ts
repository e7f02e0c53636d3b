import type { KubernetesObject } from '../../core/object.ts';
import { at, conditionOf, current, failed, type Health, inProgress, int, text } from './health.ts';

/**
 * A Job is current only once it has completed, as in Flux (kstatus itself is content when it runs), or while it is
 * suspended; it fails with its `Failed` condition.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
 */
export function jobHealth(object: KubernetesObject): Health {
  if (at(object, ['spec', 'suspend']) === true) return current('suspended');
  const parallelism = int(object, 'spec', 'parallelism') ?? 1;
  const completions = int(object, 'spec', 'completions') ?? parallelism;
  const [active, succeeded, wrong] = ['active', 'succeeded', 'failed'].map(
    (field) => int(object, 'status', field) ?? 0,
  );
  if (conditionOf(object, 'Complete')?.status === 'True')
    return current(`completed: ${succeeded}/${completions}`);
  const failure = conditionOf(object, 'Failed');
  if (failure?.status === 'True') {
    const why = [failure.reason, failure.message].filter((part) => part !== '').join(': ');
    return failed(`failed ${wrong}/${completions}${why === '' ? '' : `: ${why}`}`);
  }
  if (text(object, 'status', 'startTime') === '') return inProgress('not started');
  return inProgress(`running: succeeded ${succeeded}, active ${active}, failed ${wrong}`);
}

/**
 * Whether an absent Job may have done its work: one with a TTL is deleted by the cluster soon after it has finished.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
 */
export function vanishesWhenDone(desired: KubernetesObject): boolean {
  return (
    desired.kind === 'Job' &&
    desired.apiVersion.startsWith('batch/') &&
    int(desired, 'spec', 'ttlSecondsAfterFinished') !== undefined
  );
}
