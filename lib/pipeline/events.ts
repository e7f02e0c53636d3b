import { rfc3339 } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, gvkOf } from '../core/object.ts';
import type { Outcome } from './outcome.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** The API server refuses longer notes. https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const MAX_NOTE = 1_024;

/** The Flux controller under whose name users and tools look for the events of a kind. */
const COMPONENTS: Readonly<Record<string, string>> = {
  GitRepository: 'source-controller',
  Kustomization: 'kustomize-controller',
  ImageRepository: 'image-reflector-controller',
  ImagePolicy: 'image-reflector-controller',
  Receiver: 'notification-controller',
  ImageUpdateAutomation: 'image-automation-controller',
};

/**
 * Writes a Kubernetes event about a Toolkit object, as `kubectl describe` and the flux CLI show them. An event is told for
 * the reader's convenience: when it cannot be written the run goes on, and the log says so.
 */
export async function recordEvent(
  run: Run,
  object: WithStatus,
  outcome: Outcome,
  revision: string | undefined,
): Promise<void> {
  const at = rfc3339(run.ctx.now());
  const { group, version, kind } = gvkOf(object);
  const component = COMPONENTS[kind] ?? 'slipway';
  const event: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${object.metadata.name}.${run.id.toLowerCase()}`,
      namespace: object.metadata.namespace ?? 'default',
      annotations: revision === undefined ? {} : { [`${group}/revision`]: revision },
    },
    involvedObject: {
      apiVersion: `${group}/${version}`,
      kind,
      name: object.metadata.name,
      namespace: object.metadata.namespace,
      uid: object.metadata.uid,
      resourceVersion: object.metadata.resourceVersion,
    },
    type: outcome.result === 'failure' ? 'Warning' : 'Normal',
    reason: outcome.ready.reason,
    message: noteOf(run, outcome),
    source: { component },
    reportingComponent: component,
    reportingInstance: 'slipway',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
  try {
    await run.client.create(event);
  } catch (error) {
    run.log.warn({ error: messageOf(error) }, 'the Kubernetes event could not be written');
  }
}

function noteOf(run: Run, outcome: Outcome): string {
  const changes = run.changes
    .filter(({ action, detail }) => action !== 'unchanged' && (action !== 'skipped' || detail !== undefined))
    .map(
      ({ ref, action, detail }) => `${describe(ref)} ${action}${action === 'skipped' ? `: ${detail}` : ''}`,
    );
  const warnings = run.warnings.map((warning) => `warning: ${warning}`);
  const note = [outcome.told ?? outcome.ready.message, ...warnings, ...changes].join('\n');
  return note.length > MAX_NOTE ? `${note.slice(0, MAX_NOTE - 1)}…` : note;
}
