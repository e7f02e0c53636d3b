import type { DeliveryRecord } from '../../lib/receive/deliveries.ts';

/** Deliveries in memory. */
export function memoryDeliveries(): DeliveryRecord & { done: Set<string> } {
  const done = new Set<string>();
  return {
    done,
    isDone: async (sender, id) => done.has(`${sender} ${id}`),
    markDone: async (sender, id) => {
      done.add(`${sender} ${id}`);
    },
  };
}
