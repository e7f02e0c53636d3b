import type { DeliveryRecord } from './deliveries.ts';
import type { IntakeLimits } from './intake.ts';
import type { RefuseOptions } from './refuse.ts';

/** What all webhooks need. */
export interface SharedOptions extends IntakeLimits, RefuseOptions {
  deliveries: DeliveryRecord;
  /** Epoch in ms. */
  now(): number;
}
