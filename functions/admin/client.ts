import { join } from 'node:path';
import process from 'node:process';
import { silentLog } from '../../lib/log.ts';
import type { Admin } from '../../lib/pipeline/admin.ts';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import { postToSocket } from '../../lib/socket.ts';
import { openContext } from '../open-context.ts';
import type { OpenFleet } from '../open-fleet.ts';

/** Where a running server listens for its operator. */
export function socketPath({ fleet }: Pick<OpenFleet, 'fleet'>): string {
  return join(fleet.storage.directory, 'admin.sock');
}

const OPERATIONS = [
  'runs',
  'run',
  'deadLetters',
  'redrive',
  'approve',
  'resync',
  'explainImage',
] as const satisfies (keyof Admin)[];

/**
 * Does something with an installation: on its table and queues where the environment names one on AWS; else through the server that runs, or
 * on its store when none does.
 */
export async function withAdmin<T>(open: OpenFleet, work: (admin: Admin) => Promise<T>): Promise<T> {
  if (process.env.SLIPWAY_TABLE) return onAws(open, work);
  const path = socketPath(open);
  const running = await postToSocket(path, '/runs', [{ limit: 1 }]).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return false;
      throw error;
    },
  );
  if (running) return work(remoteAdmin(path));
  const local = await openContext(open, silentLog, new AbortController().signal);
  try {
    return await work(createAdmin(local.ctx));
  } finally {
    await local.close();
  }
}

async function onAws<T>(open: OpenFleet, work: (admin: Admin) => Promise<T>): Promise<T> {
  // Not loaded where there is no AWS.
  const [{ openCore }, { openAwsWorker }, { readEnvironment }] = await Promise.all([
    import('../aws/core.ts'),
    import('../aws/worker.ts'),
    import('../aws/environment.ts'),
  ]);
  const { SLIPWAY_FLEET = open.fleet.path } = process.env;
  const worker = await openAwsWorker(
    await openCore(readEnvironment({ ...process.env, SLIPWAY_FLEET }), silentLog),
  );
  try {
    return await work(createAdmin(worker.ctx));
  } finally {
    await worker.close();
  }
}

function remoteAdmin(path: string): Admin {
  const entries = OPERATIONS.map((operation) => [
    operation,
    async (...args: unknown[]) => {
      const answer = (await postToSocket(path, `/${operation}`, args)) as {
        result?: unknown;
        error?: string;
      };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.result ?? undefined;
    },
  ]);
  return Object.fromEntries(entries) as Admin;
}
