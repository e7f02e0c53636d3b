import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Finds ports of 127.0.0.1 that nobody listens on.
 *
 * They are taken below the range from which systems give ports to outgoing connections (32768 on Linux, 49152 on
 * macOS), so that no connection of a test running at the same time occupies one before its server has started.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1000) throw new Error('No free port found between 15000 and 32000.');
    const port = randomInt(15_000, 32_000);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
