import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endChild } from './end-child.ts';

/** A Git server in a process of its own. */
export interface BenchGit {
  /** Below it is the repository, as `/bench/fleet.git`. */
  url: string;
  stop(): Promise<void>;
}

/** Starts it. @param gitDir the `.git` folder of the repository */
export async function startBenchGit(gitDir: string): Promise<BenchGit> {
  const child = fork(fileURLToPath(new URL('./git-process.ts', import.meta.url)), [gitDir]);
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    stop: () => endChild(child),
  };
}
