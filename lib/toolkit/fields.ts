import * as z from 'zod';
import { DURATION_PATTERN } from '../core/duration.ts';
import type { ObjectMeta } from '../core/object.ts';

/** `metadata`: any object with a name. What else stands in it is the API server's affair and is kept as it is. */
export const Metadata = z
  .custom<ObjectMeta>(isMetadata, { error: 'must be an object with a name' })
  .meta({ type: 'object' });

function isMetadata(value: unknown): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const { name } = value as { name?: unknown };
  return typeof name === 'string' && name !== '';
}

/** A Go duration as the Toolkit allows it, kept as text. */
export const Duration = z.string().regex(new RegExp(DURATION_PATTERN), {
  error: 'must be a duration such as 30s, 10m or 1h30m',
});

/** A duration of at most minutes: the limits of single operations know no hours. */
export const ShortDuration = z.string().regex(/^([0-9]+(\.[0-9]+)?(ms|s|m))+$/, {
  error: 'must be a duration such as 60s or 2m',
});

/** A whole number stored as int64. */
export const Int64 = z.int().meta({ format: 'int64' });

/** RFC 3339. */
export const Time = z.string().meta({ format: 'date-time' });

/** Texts by name, such as labels. */
export const StringMap = z.record(z.string(), z.string());

/** Names an object of the same namespace. */
export const LocalReference = z.strictObject({
  name: z.string().describe('Name of the object, in the same namespace.'),
});
export type LocalReference = z.infer<typeof LocalReference>;

/** Names an object of any namespace. */
export const NamespacedReference = z.strictObject({
  name: z.string().describe('Name of the object.'),
  namespace: z.string().describe('Namespace of the object; the own one by default.').exactOptional(),
});
export type NamespacedReference = z.infer<typeof NamespacedReference>;

/** Selects objects by their labels, as Kubernetes does; an empty selector selects all. */
export const LabelSelector = z
  .strictObject({
    matchLabels: StringMap.describe('Labels that the objects carry.').exactOptional(),
    matchExpressions: z
      .array(
        z
          .strictObject({
            key: z.string().describe('Name of the label.'),
            operator: z.string().describe('In, NotIn, Exists or DoesNotExist.'),
            values: z.array(z.string()).describe('Values for In and NotIn.').exactOptional(),
          })
          .describe('A condition on one label.'),
      )
      .describe('Conditions on labels; all must hold.')
      .exactOptional(),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });
export type LabelSelector = z.infer<typeof LabelSelector>;

/** Selects objects of a build, as kustomize does. */
export const Selector = z.strictObject({
  group: z.string().describe('API group of the objects.').exactOptional(),
  version: z.string().describe('API version of the objects, without the group.').exactOptional(),
  kind: z.string().describe('Kind of the objects.').exactOptional(),
  namespace: z.string().describe('Namespace of the objects; a regular expression.').exactOptional(),
  name: z.string().describe('Name of the objects; a regular expression.').exactOptional(),
  labelSelector: z.string().describe('Label selector that the objects match.').exactOptional(),
  annotationSelector: z
    .string()
    .describe('Selector, written like a label selector, that the annotations of the objects match.')
    .exactOptional(),
});
export type Selector = z.infer<typeof Selector>;
