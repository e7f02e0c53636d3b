import { Hono } from 'hono';
import { messageOf } from '../../lib/core/errors.ts';
import type { Admin } from '../../lib/pipeline/admin.ts';

/**
 * The operator's API of a running server. It listens on a socket in the storage directory, which its owner alone may open; never on
 * the network. `POST /<operation>` with the arguments as a JSON array answers `{"result": …}` or `{"error": …}`.
 */
export function createAdminApp(admin: Admin): Hono {
  const app = new Hono();
  app.post('/:operation', async (c) => {
    const operation = c.req.param('operation');
    if (!Object.hasOwn(admin, operation)) return c.json({ error: `there is no operation ${operation}` }, 404);
    const call = admin[operation as keyof Admin] as (...args: unknown[]) => Promise<unknown>;
    const args = (await c.req.json()) as unknown[];
    return c.json({ result: (await call(...args)) ?? null });
  });
  app.onError((error, c) => c.json({ error: messageOf(error) }, 500));
  return app;
}
