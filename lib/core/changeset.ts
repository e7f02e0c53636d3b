import type { ObjectRef } from './object.ts';

/** What was done to one object, in Flux's words. */
export type Action = 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped';

/** One object and what was done to it. */
export interface ChangeSetEntry {
  ref: ObjectRef;
  action: Action;
  /** Why it was skipped, or which fields changed; never holds values of a Secret. */
  detail?: string;
  /** Of what was skipped since another owner applies it too and keeps it: that owner, such as `Kustomization/apps/shop`. */
  keptBy?: string;
}

/** What one reconcile did, in the order it was done. */
export interface ChangeSet {
  entries: ChangeSetEntry[];
}

/** The entries that wrote something. */
export function changed(changeSet: ChangeSet): ChangeSetEntry[] {
  return changeSet.entries.filter(({ action }) => action !== 'unchanged' && action !== 'skipped');
}
