import pLimit from 'p-limit';
import type { TeamRepository } from './git-history.ts';

/** How the commits of all teams look at the provider. */
export interface CommitStatuses {
  /** Commits by their state; `none` are those that nothing was said of, since their deliveries were dropped. */
  states: Record<string, number>;
  /** What is wrong for good, in sentences. */
  problems: string[];
  /** What may yet become right. */
  unfinished: string[];
}

/** Gitea is asked so many things at a time. */
const CONCURRENCY = 8;

/** Reads the statuses of commits; one that was seen to be in its final state is not asked for again. */
export class StatusReader {
  readonly #repositories: readonly TeamRepository[];
  /** By commit: what was last seen of each of its contexts. */
  readonly #final = new Map<string, string>();

  readonly #delivered: ReadonlySet<string>;

  /** @param delivered ids of commits of which something must be said */
  constructor(repositories: Iterable<TeamRepository>, delivered: ReadonlySet<string>) {
    this.#repositories = [...repositories];
    this.#delivered = delivered;
  }

  /** The last commits first: as long as one of these is not green, the others need not be looked at. */
  async lastAreGreen(): Promise<boolean> {
    for (const repository of this.#repositories) {
      const found = await repository.statuses(repository.commits.at(-1) ?? '');
      if (found.length === 0 || found.some(({ status }) => status !== 'success')) return false;
    }
    return true;
  }

  /** Looks at all commits. */
  async read(): Promise<CommitStatuses> {
    const limit = pLimit(CONCURRENCY);
    const result: CommitStatuses = { states: {}, problems: [], unfinished: [] };
    const look = async (repository: TeamRepository, number: number) => {
      const id = repository.commits[number] ?? '';
      const isLast = number === repository.commits.length - 1;
      const state = this.#final.get(id) ?? (await stateOf(repository, id));
      result.states[state] = (result.states[state] ?? 0) + 1;
      const name = `commit ${number} of ${repository.team.name}`;
      if (state === 'none' && this.#delivered.has(id))
        result.unfinished.push(`${name} was delivered, and nothing is said of it`);
      else if (state === 'pending') result.unfinished.push(`${name} is pending`);
      else if (isLast && state !== 'success') result.unfinished.push(`${name}, the last one, is ${state}`);
      else if (state === 'failure' || state === 'error') result.problems.push(`${name} is ${state}`);
      else if (state !== 'none') this.#final.set(id, state);
    };
    await Promise.all(
      this.#repositories.flatMap((repository) =>
        repository.commits.map((_, number) => limit(() => look(repository, number))),
      ),
    );
    return result;
  }
}

/** The worst of a commit's statuses. `warning` is what a superseded commit shows. */
async function stateOf(repository: TeamRepository, id: string): Promise<string> {
  const found = (await repository.statuses(id)).map(({ status }) => status);
  return (
    ['failure', 'error', 'pending', 'warning'].find((state) => found.includes(state)) ?? found[0] ?? 'none'
  );
}
