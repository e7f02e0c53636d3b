import type { Context } from 'hono';
import type { Log } from '../log.ts';

/** Which deliveries are done: their jobs are durable. */
export interface DeliveryRecord {
  isDone(sender: string, deliveryId: string): Promise<boolean>;
  markDone(sender: string, deliveryId: string): Promise<void>;
}

/** The answer when it cannot be told now whether a delivery is genuine: the keys of an issuer, or a secret, cannot be read. */
export function notVerified(c: Context, log: Log, error: unknown): Response {
  log.error({ error }, 'a webhook could not be verified; it may be redelivered');
  return c.json({ error: 'the sender cannot be verified now; deliver it again' }, 503, {
    'retry-after': '30',
  });
}

/** The answer when a job could not be stored: the sender shows a failure, and delivers again or can be asked to. */
export function notStored(c: Context, log: Log, error: unknown, fields: Record<string, unknown>): Response {
  log.error({ error, ...fields }, 'a webhook could not be stored; it may be redelivered');
  return c.json({ error: 'the event could not be stored; deliver it again' }, 503, { 'retry-after': '30' });
}
