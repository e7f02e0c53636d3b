/** A Kubernetes condition as the Toolkit writes it. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** RFC 3339 in seconds; changes only with `status`. */
  lastTransitionTime: string;
  observedGeneration?: number;
}

/** A condition before its transition time is known. */
export type ConditionUpdate = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** The API server refuses longer messages: https://github.com/kubernetes/apimachinery (metav1.Condition, maxLength 32768). */
const MAX_MESSAGE = 32_768;

/** RFC 3339 in whole seconds, as the API server stores times. */
export function rfc3339(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** The condition of a type, or undefined. */
export function getCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * Sets one condition and returns a new list. The transition time changes only when the status does.
 * @param now epoch in ms
 * @param observedGeneration the generation of the object that the condition speaks of
 */
export function setCondition(
  conditions: readonly Condition[],
  update: ConditionUpdate,
  now: number,
  observedGeneration: number,
): Condition[] {
  const message =
    update.message.length > MAX_MESSAGE ? `${update.message.slice(0, MAX_MESSAGE - 1)}…` : update.message;
  const previous = getCondition(conditions, update.type);
  const lastTransitionTime = previous?.status === update.status ? previous.lastTransitionTime : rfc3339(now);
  const next: Condition = { ...update, message, lastTransitionTime, observedGeneration };
  if (!previous) return [...conditions, next];
  return conditions.map((condition) => (condition.type === update.type ? next : condition));
}

/** Removes the condition of a type and returns a new list. */
export function removeCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}
