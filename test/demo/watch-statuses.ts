import { setTimeout as sleep } from 'node:timers/promises';
import type { GiteaRepository, GiteaStatus } from '../support/gitea-repository.ts';

export interface StatusWatch {
  /** Follows the statuses of this commit from now on. */
  follow(sha: string): void;
  /** The newest statuses of the followed commit, by context. */
  current(): GiteaStatus[];
  stop(): Promise<void>;
}

/** Polls the statuses of one commit and tells each new one, in the order they were set. */
export function watchStatuses(
  repository: GiteaRepository,
  onStatus: (status: GiteaStatus) => void,
): StatusWatch {
  let commit: string | undefined;
  let seen = 0;
  let newest = new Map<string, GiteaStatus>();
  let stopped = false;

  async function run(): Promise<void> {
    while (!stopped) {
      const sha = commit;
      if (sha) {
        const history = await repository.statusHistory(sha).catch(() => []);
        if (sha === commit) {
          for (const status of history.slice(seen)) {
            newest.set(status.context, status);
            onStatus(status);
          }
          seen = Math.max(seen, history.length);
        }
      }
      await sleep(60);
    }
  }

  const running = run();
  return {
    follow(sha) {
      commit = sha;
      seen = 0;
      newest = new Map();
    },
    current: () => [...newest.values()],
    async stop() {
      stopped = true;
      await running;
    },
  };
}
