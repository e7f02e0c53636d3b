/** Annotations, labels, finalizers and field managers that the Toolkit's users and tools know. */

/** A new value asks for a run at once; the handled one stands in `status.lastHandledReconcileAt`. */
export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
/** Equal to {@link REQUESTED_AT}: run although nothing changed. */
export const FORCE_AT = 'reconcile.fluxcd.io/forceAt';
/** Label of ConfigMaps and Secrets whose change is to be heeded at once; value `Enabled`. */
export const WATCH = 'reconcile.fluxcd.io/watch';

/** How an object is applied: `Override` (default), `Merge`, `IfNotPresent` or `Ignore`. */
export const SSA = 'kustomize.toolkit.fluxcd.io/ssa';
/** `Enabled`: recreate the object when an immutable field changed. */
export const FORCE = 'kustomize.toolkit.fluxcd.io/force';
/** `Disabled`: never delete the object. */
export const PRUNE = 'kustomize.toolkit.fluxcd.io/prune';
/** `disabled`, set on the object in the cluster: leave it alone. */
export const RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile';
/** `disabled`: no variables are substituted in the object. */
export const SUBSTITUTE = 'kustomize.toolkit.fluxcd.io/substitute';
/** `Disabled`: the Secret is not decrypted. */
export const DECRYPT = 'kustomize.toolkit.fluxcd.io/decrypt';

/** Ownership labels on every applied object: name and namespace of its Kustomization. */
export const OWNER_NAME = 'kustomize.toolkit.fluxcd.io/name';
export const OWNER_NAMESPACE = 'kustomize.toolkit.fluxcd.io/namespace';

/** Annotations that begin with this become metadata of events. */
export const EVENT_PREFIX = 'event.toolkit.fluxcd.io/';
/** The keys of revisions in the metadata of events, below the object's group. */
export const EVENT_REVISION = 'revision';
export const EVENT_ORIGIN_REVISION = 'originRevision';

/** On a Kustomization: allows the deletion of many objects for the render with this hash. */
export const ALLOW_PRUNE = 'slipway.dev/allow-prune';

/** On an applied object, for a moment: makes it another version. */
export const FENCE = 'slipway.dev/fence';

/** On an ImageUpdateAutomation: keeps a pull request for its branch (`open`), which is merged when its checks pass (`merge`). */
export const PULL_REQUEST = 'slipway.dev/pull-request';

/** Keeps a Toolkit object until what it applied has been dealt with. */
export const FINALIZER = 'finalizers.fluxcd.io';

/** The field manager of everything a Kustomization applies: Flux's, so that moving in and out needs no hand-over. */
export const FIELD_MANAGER = 'kustomize-controller';
/** The field manager of a source's status. */
export const SOURCE_FIELD_MANAGER = 'source-controller';

/** Marks the parts of an installed Flux. */
export const PART_OF = 'app.kubernetes.io/part-of';

/** Whether an annotation or label switches something on or off; the Toolkit compares without regard to case. */
export function isSet(
  values: Readonly<Record<string, string>> | undefined,
  key: string,
  value: string,
): boolean {
  return values?.[key]?.toLowerCase() === value.toLowerCase();
}
