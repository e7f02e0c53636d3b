import { silentLog } from '../../lib/log.ts';
import type { Admin } from '../../lib/pipeline/admin.ts';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import { openContext } from '../open-context.ts';
import type { OpenFleet } from '../open-fleet.ts';

/** Does something with the store of this machine, which no server has open. */
export async function withLocalAdmin<T>(open: OpenFleet, work: (admin: Admin) => Promise<T>): Promise<T> {
  const local = await openContext(open, silentLog, new AbortController().signal);
  try {
    return await work(createAdmin(local.ctx));
  } finally {
    await local.close();
  }
}
