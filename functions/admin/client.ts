import { join } from 'node:path';
import process from 'node:process';
import type { Admin } from '../../lib/pipeline/admin.ts';
import { postToSocket } from '../../lib/socket.ts';
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
  'request',
  'resync',
  'explainImage',
] as const satisfies (keyof Admin)[];

/** Whether the environment names an installation on AWS, or the fleet file has deployed one. */
export function isOnAws({ fleet }: Pick<OpenFleet, 'fleet'>): boolean {
  return Boolean(process.env.SLIPWAY_TABLE) || fleet.aws !== undefined;
}

/**
 * Does something with an installation: the one on AWS that the environment names; else through the server that runs on this machine; else
 * with the one on AWS that the fleet file has deployed, or on the store of this machine.
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
  if (isOnAws(open)) return onAws(open, work);
  // Not loaded where a server runs: it is all of Slipway.
  const { withLocalAdmin } = await import('./local-admin.ts');
  return withLocalAdmin(open, work);
}

async function onAws<T>(open: OpenFleet, work: (admin: Admin) => Promise<T>): Promise<T> {
  // Not loaded where there is no AWS.
  const { withAwsAdmin } = await import('./aws-admin.ts');
  return withAwsAdmin(open, work);
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
