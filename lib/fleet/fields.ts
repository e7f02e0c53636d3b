import * as z from 'zod';
import { DURATION_PATTERN, parseDuration } from '../core/duration.ts';

/** A DNS label: it stands in statuses, ids and URLs. */
export const Name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, {
    error: 'must consist of lower-case letters, digits and dashes',
  });

/** A duration in the file, ms afterwards. */
export function milliseconds(least: number) {
  return z
    .string()
    .regex(new RegExp(DURATION_PATTERN), { error: 'must be a duration such as 30s or 2m', abort: true })
    .transform((text) => parseDuration(text) ?? 0)
    .refine((ms) => ms >= least, { error: `must be at least ${least / 1000}s` });
}

const UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

/** A size such as `256Mi` in the file, bytes afterwards. */
export const Bytes = z
  .string()
  .regex(/^[1-9][0-9]*(Ki|Mi|Gi)?$/, { error: 'must be a size such as 512Ki, 256Mi or 1Gi', abort: true })
  .transform((text) => Number.parseInt(text, 10) * (UNITS[text.replace(/[0-9]+/, '')] ?? 1));
