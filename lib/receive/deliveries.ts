import type { Context } from 'hono';
import type { Log } from '../log.ts';

/** Which deliveries are done: their jobs are durable. */
export interface DeliveryRecord {
  isDone(sender: string, deliveryId: string): Promise<boolean>;
  markDone(sender: string, deliveryId: string): Promise<void>;
}

/** The answer when a job could not be stored: the sender shows a failure, and delivers again or can be asked to. */
export function notStored(c: Context, log: Log, error: unknown, fields: Record<string, unknown>): Response {
  log.error({ error, ...fields }, 'a webhook could not be stored; it may be redelivered');
  return c.json({ error: 'the event could not be stored; deliver it again' }, 503, { 'retry-after': '30' });
}
