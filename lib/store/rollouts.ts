import type { Table } from './table.ts';

/** One commit of one source on its way through one cluster. */
export interface Rollout {
  cluster: string;
  /** Key of the source object, such as `GitRepository/flux-system/flux-system`. */
  source: string;
  /** Full hash. */
  commit: string;
  /** The provider whose commit status tells of it, by its name in the fleet file. */
  destination: string;
  /** `owner/name` there. */
  project: string;
  /** Epoch in ms. */
  startedAt: number;
  /** The commit that took over before this one was done; empty while none has. */
  supersededBy: string;
}

/** One object that a rollout goes through. */
export interface Member {
  key: string;
  state: 'pending' | 'ready' | 'failed';
  message: string;
  /** The run that settled it last; empty before. */
  runId: string;
  /** Whether it has failed at any time, so that a status of its own exists. */
  hasFailed: boolean;
}

/** What a run says of its member. */
export type MemberResult = Pick<Member, 'state' | 'message' | 'runId'>;

/** Rollouts are remembered for 30 days. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** How often a member is written again over another worker's write. */
const ATTEMPTS = 10;

/** Rollouts and their members: what commit statuses are made of. */
export class Rollouts {
  readonly #table: Table;
  readonly #now: () => number;

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Writes a rollout, new or changed, and counts it as unfinished. */
  async open(rollout: Rollout): Promise<void> {
    const expiresAt = this.#now() + KEEP_MS;
    await this.#table.put(unfinishedPartition(rollout), rollout.commit, rollout.commit, { expiresAt });
    await this.#table.put(partition(rollout), rollout.commit, rollout, { expiresAt });
  }

  /** The rollout of a commit, or undefined. */
  async get(cluster: string, source: string, commit: string): Promise<Rollout | undefined> {
    return (await this.#table.get<Rollout>(partition({ cluster, source }), commit))?.value;
  }

  /** The rollouts of a source that have not ended. */
  async unfinished(cluster: string, source: string): Promise<Rollout[]> {
    const rows = await this.#table.query<string>(unfinishedPartition({ cluster, source }));
    const found = await Promise.all(rows.map(({ sort }) => this.get(cluster, source, sort)));
    return found.filter((rollout) => rollout !== undefined);
  }

  /** Counts a rollout as ended. */
  async finish(rollout: Rollout): Promise<void> {
    await this.#table.delete(unfinishedPartition(rollout), rollout.commit);
  }

  /**
   * Adds members as pending.
   * @param options.again members that are there already become pending again
   */
  async add(rollout: Rollout, keys: readonly string[], options: { again?: boolean } = {}): Promise<void> {
    const known = new Map((await this.members(rollout)).map((member) => [member.key, member]));
    const expiresAt = this.#now() + KEEP_MS;
    const fresh = keys.filter((key) => !known.has(key) || options.again === true);
    await this.#table.batch(
      fresh.map((key) => {
        const hasFailed = known.get(key)?.hasFailed ?? false;
        const value: Member = { key, state: 'pending', message: '', runId: '', hasFailed };
        return { put: { partition: membersPartition(rollout), sort: key, value, expiresAt } };
      }),
    );
  }

  /**
   * Writes how a member ended.
   * @returns whether that is news; false also when the object is no member
   */
  async settle(rollout: Rollout, key: string, result: MemberResult): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const row = await this.#table.get<Member>(membersPartition(rollout), key);
      if (!row) return false;
      if (row.value.state === result.state && row.value.message === result.message) return false;
      const value: Member = {
        ...row.value,
        ...result,
        hasFailed: row.value.hasFailed || result.state === 'failed',
      };
      const options = { ifVersion: row.version, expiresAt: this.#now() + KEEP_MS };
      if ((await this.#table.put(membersPartition(rollout), key, value, options)) !== undefined) return true;
    }
    throw new Error(
      `the state of ${key} in the rollout of ${rollout.commit} could not be written: too many writers`,
    );
  }

  /** All members, by key. */
  async members(rollout: Rollout): Promise<Member[]> {
    return (await this.#table.query<Member>(membersPartition(rollout))).map(({ value }) => value);
  }
}

function partition({ cluster, source }: Pick<Rollout, 'cluster' | 'source'>): string {
  return `rollout#${cluster}#${source}`;
}

function unfinishedPartition({ cluster, source }: Pick<Rollout, 'cluster' | 'source'>): string {
  return `rollout-unfinished#${cluster}#${source}`;
}

function membersPartition({ cluster, source, commit }: Rollout): string {
  return `rollout-members#${cluster}#${source}#${commit}`;
}
