import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Ends a process of the bench, which goes when nobody speaks to it any more. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
