import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { vi } from 'vitest';

/**
 * Runs something while the platform's comparisons in constant time all give one answer. Whoever comes to another one has compared by
 * other means, whose time may tell how much of a secret was right.
 */
export async function withComparisons<T>(answer: boolean, work: () => Promise<T>): Promise<T> {
  const spies = [
    vi.spyOn(crypto.subtle, 'verify').mockResolvedValue(answer),
    vi.spyOn(nodeCrypto, 'timingSafeEqual').mockReturnValue(answer),
  ];
  // Modules that have imported it by name see it, too.
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
    syncBuiltinESMExports();
  }
}
