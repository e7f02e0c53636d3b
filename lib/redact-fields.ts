import { redact } from './core/redact.ts';

/** Fields whose value is never written, whatever it is. */
const SECRET_FIELD =
  /^(authorization|cookie|password|passwd|token|.*[-_]?(secret|token|password|privatekey|private[-_]key|apikey|api[-_]key)|kubeconfig|data|stringdata)$/i;

const MASK = '***';
const MAX_DEPTH = 6;

/**
 * Makes fields fit to be logged: credentials removed from every text, secret-looking fields masked, errors spelled out, cycles
 * and depths over six cut.
 * @param secrets values known to be secret
 */
export function redactFields(
  fields: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
): Record<string, unknown> {
  return clean(fields, secrets, []) as Record<string, unknown>;
}

function clean(value: unknown, secrets: readonly string[], above: readonly unknown[]): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value === null || typeof value !== 'object') return value;
  if (above.includes(value) || above.length >= MAX_DEPTH) return '…';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  const inside = [...above, value];
  if (value instanceof Error) return cleanError(value, secrets, inside);
  if (Array.isArray(value)) return value.map((item) => clean(item, secrets, inside));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_FIELD.test(name) && member !== undefined && member !== null
        ? MASK
        : clean(member, secrets, inside),
    ]),
  );
}

function cleanError(
  error: Error,
  secrets: readonly string[],
  above: readonly unknown[],
): Record<string, unknown> {
  return {
    name: error.name,
    message: redact(error.message, secrets),
    ...(error.stack === undefined ? {} : { stack: redact(error.stack, secrets) }),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, secrets, above) }),
  };
}
