import type { KubernetesObject } from '../../core/object.ts';

/** How far an object is, in kstatus' words. */
export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';

/** How far an object is, and why one thinks so. */
export interface Health {
  status: HealthStatus;
  message: string;
}

/**
 * Judges an object of one kind whose controller has seen its newest generation and which is not being deleted.
 * @param now epoch in ms; undefined: nothing that depends on time is decided
 */
export type HealthRule = (object: KubernetesObject, now: number | undefined) => Health;

/** A condition as any controller may have written it. */
export interface AnyCondition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration: number | undefined;
  /** Only Deployments have it; empty elsewhere. */
  lastUpdateTime: string;
}

/** It has reached what its spec asks for. */
export function current(message: string): Health {
  return { status: 'Current', message };
}

/** Its controller is still working, or has not started. */
export function inProgress(message: string): Health {
  return { status: 'InProgress', message };
}

/** It will not get there by itself. */
export function failed(message: string): Health {
  return { status: 'Failed', message };
}

/** A whole number at a path, or undefined. */
export function int(object: KubernetesObject, ...path: string[]): number | undefined {
  const value = at(object, path);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

/** A text at a path, or the empty string. */
export function text(object: KubernetesObject, ...path: string[]): string {
  const value = at(object, path);
  return typeof value === 'string' ? value : '';
}

/** The value at a path, or undefined. */
export function at(object: KubernetesObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The conditions in `status`; entries that are none are passed over. */
export function conditionsOf(object: KubernetesObject): AnyCondition[] {
  const list = at(object, ['status', 'conditions']);
  if (!Array.isArray(list)) return [];
  return list
    .filter((entry): entry is Record<string, unknown> => entry !== null && typeof entry === 'object')
    .map((entry) => ({
      type: asText(entry.type),
      status: asText(entry.status),
      reason: asText(entry.reason),
      message: asText(entry.message),
      lastUpdateTime: asText(entry.lastUpdateTime),
      observedGeneration: typeof entry.observedGeneration === 'number' ? entry.observedGeneration : undefined,
    }));
}

/** The condition of a type, or undefined. */
export function conditionOf(object: KubernetesObject, type: string): AnyCondition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** What a condition says: its message, else its reason. */
export function said(condition: AnyCondition): string {
  return condition.message || condition.reason || `${condition.type} is ${condition.status}`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
