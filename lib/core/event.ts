import type { ObjectRef } from './object.ts';

/** Something that happened to a Toolkit object: a Kubernetes event in the cluster, and an input of alerts and statuses. */
export interface Event {
  cluster: string;
  involvedObject: ObjectRef & { uid?: string };
  severity: 'info' | 'error';
  /** A Toolkit condition reason. */
  reason: string;
  message: string;
  /** RFC 3339. */
  timestamp: string;
  /** `revision`, `commit` and annotations under `event.toolkit.fluxcd.io/`. */
  metadata: Record<string, string>;
}
