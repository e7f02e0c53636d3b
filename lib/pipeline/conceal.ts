import { redact } from '../core/redact.ts';
import { KubeError } from '../kube/errors.ts';

/** So many causes of an error are looked at. */
const MAX_CAUSES = 8;

/**
 * Removes secrets from an error and its causes, in place: what an API server refuses it quotes, also values that a run has
 * decrypted or read from a Secret and that now stand in some other object.
 */
export function conceal(error: unknown, secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  let each = error;
  for (let depth = 0; each instanceof Error && depth < MAX_CAUSES; depth++) {
    each.message = redact(each.message, secrets);
    if (each.stack !== undefined) each.stack = redact(each.stack, secrets);
    if (each instanceof KubeError && each.status) Object.assign(each.status, clean(each.status, secrets));
    each = each.cause;
  }
}

function clean(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (Array.isArray(value)) return value.map((item) => clean(item, secrets));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clean(member, secrets)]));
}
