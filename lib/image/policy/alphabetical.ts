import { compareText, type Order } from './order.ts';

/** By letters, one by one: the last in ascending order is the newest, or the first (`desc`). */
export function alphabetical(order: 'asc' | 'desc'): Order {
  const sign = order === 'asc' ? -1 : 1;
  return (candidates) => ({
    ranked: candidates.toSorted((a, b) => sign * compareText(a.value, b.value)),
    rejected: [],
  });
}
