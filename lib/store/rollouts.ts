import pLimit from 'p-limit';
import { clusterPartition } from './partitions.ts';
import type { Row, Table } from './table.ts';

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
  /** What its success leaves to be desired; absent: nothing. */
  notice?: string;
  /** The run that settled it last; empty before. */
  runId: string;
  /** Whether it has failed at any time, so that a status of its own exists. */
  hasFailed: boolean;
}

/** An artifact whose dependants have all got their jobs. */
export interface SentArtifact {
  /** Full hash; empty for a source without commits. */
  commit: string;
  /** Digest of the artifact. */
  digest: string;
  /** The repository it was fetched from, normalised: the source has shown that it may read it. */
  repository?: string;
}

/** What a run says of its member. */
export type MemberResult = Pick<Member, 'state' | 'message' | 'notice' | 'runId'>;

/** What was written of a member. */
export interface MemberChange extends Pick<Member, 'state' | 'hasFailed'> {
  /** Its state before; undefined when it is new. */
  before: Member['state'] | undefined;
}

/** A rollout and its members at one moment. */
export interface RolloutState {
  rollout: Rollout;
  /** By key. */
  members: Member[];
  /** Grows with every change of the rollout or a member: of two states the one with the higher is the later. */
  sequence: number;
  /** The version of the mark that it has not ended; 0 = it has. */
  markVersion: number;
}

/** A member and how often it was written. */
type StoredMember = Member & { writes: number };

/** Rollouts are remembered for 30 days. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** How often a member is written again over another worker's write; every failure means that another one went through. */
const ATTEMPTS = 200;

/** Members that are written at a time. */
const CONCURRENCY = 256;

/** From so many on, members are read by one query, however many others there are. */
const READ_ALL_FROM = 20;

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
    await Promise.all([
      this.#table.put(siblingsPartition(rollout), rollout.source, rollout.source, { expiresAt }),
      this.#markUnfinished(rollout),
    ]);
    await this.#table.put(partition(rollout), rollout.commit, rollout, { expiresAt });
    // Once more: whoever has seen it closed since the mark is about to count it as ended.
    await this.#markUnfinished(rollout);
  }

  /**
   * Notes that another commit took over. One that was opened anew since it was read is left alone: a push has come back to its commit, and
   * would pass for overtaken.
   * @returns the rollout as it is then, or undefined
   */
  async close(rollout: Rollout, supersededBy: string): Promise<Rollout | undefined> {
    const row = await this.#table.get<Rollout>(partition(rollout), rollout.commit);
    if (row?.value.startedAt !== rollout.startedAt || row.value.supersededBy !== rollout.supersededBy)
      return undefined;
    await this.#markUnfinished(rollout);
    const closed = { ...rollout, supersededBy };
    const options = { ifVersion: row.version, expiresAt: this.#now() + KEEP_MS };
    const version = await this.#table.put(partition(rollout), rollout.commit, closed, options);
    return version === undefined ? undefined : closed;
  }

  /** The rollout of a commit, or undefined. */
  async get(cluster: string, source: string, commit: string): Promise<Rollout | undefined> {
    return (await this.#table.get<Rollout>(partition({ cluster, source }), commit))?.value;
  }

  /** A rollout as it is now, with its members; what has not been opened is shown as it is given, without members. */
  async read(rollout: Rollout): Promise<RolloutState> {
    const [row, mark, members] = await Promise.all([
      this.#table.get<Rollout>(partition(rollout), rollout.commit),
      this.#table.get(unfinishedPartition(rollout), rollout.commit),
      this.#table.query<StoredMember>(membersPartition(rollout)),
    ]);
    const writes = members.reduce((sum, { value }) => sum + value.writes, 0);
    return {
      rollout: row?.value ?? rollout,
      members: members.map(({ value: { writes: _, ...member } }) => member),
      // Versions of one row grow, and so do the counts; the sum stays far below where numbers become inexact.
      sequence: (row?.version ?? 0) + writes,
      markVersion: mark?.version ?? 0,
    };
  }

  /**
   * The rollouts of the same commit in the same cluster that other sources brought: they share its commit status.
   * @returns all of them, this one among them once it was opened
   */
  async siblings(rollout: Rollout): Promise<Rollout[]> {
    const rows = await this.#table.query<string>(siblingsPartition(rollout));
    const found = await Promise.all(rows.map(({ sort }) => this.get(rollout.cluster, sort, rollout.commit)));
    return found.filter((sibling) => sibling !== undefined);
  }

  /** Remembers what of a source was sent to everything that depends on it; only once all of it was. */
  async setSent(cluster: string, source: string, sent: SentArtifact): Promise<void> {
    await this.#table.put(sentPartition(cluster), source, sent);
  }

  /** What of a source was sent last; undefined when that is not known. */
  async sent(cluster: string, source: string): Promise<SentArtifact | undefined> {
    return (await this.#table.get<SentArtifact>(sentPartition(cluster), source))?.value;
  }

  /** The rollouts of a source that have not ended. */
  async unfinished(cluster: string, source: string): Promise<Rollout[]> {
    const rows = await this.#table.query<string>(unfinishedPartition({ cluster, source }));
    const found = await Promise.all(rows.map(({ sort }) => this.get(cluster, source, sort)));
    return found.filter((rollout) => rollout !== undefined);
  }

  /** Whether a rollout has not ended. */
  async isUnfinished(rollout: Rollout): Promise<boolean> {
    return (await this.#table.get(unfinishedPartition(rollout), rollout.commit)) !== undefined;
  }

  /** Counts a rollout as unfinished that had ended before. */
  reopen(rollout: Rollout): Promise<void> {
    return this.#markUnfinished(rollout);
  }

  /** Counts a rollout as ended, unless it was opened or got members since that state was read. */
  async finish({ rollout, markVersion }: RolloutState): Promise<void> {
    if (markVersion === 0) return;
    await this.#table.delete(unfinishedPartition(rollout), rollout.commit, { ifVersion: markVersion });
  }

  /**
   * Adds members as pending, and counts the rollout as unfinished when that changed something.
   * @param options.again whether members that are there already become pending again. A function is asked after they were read, and anew
   * whenever another worker has written one meanwhile: what was stored before a member was settled is never missed.
   */
  async add(
    rollout: Rollout,
    keys: readonly string[],
    { again = false }: { again?: boolean | (() => Promise<boolean>) } = {},
  ): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    const pending: MemberResult = { state: 'pending', message: '', runId: '' };
    const isAgain = async () => (typeof again === 'function' ? again() : again);
    const decide = async (member: Member | undefined) => (member && !(await isAgain()) ? undefined : pending);
    const known = await this.#rows(rollout, keys);
    const isAgainNow = known.size > 0 && (await isAgain());
    const first = keys.flatMap((key) => {
      const row = known.get(key);
      const result = row && !isAgainNow ? undefined : unlessSame(row?.value, pending);
      return result ? [{ key, row, result }] : [];
    });
    // Noted first: were a member pending without its note, its rollout would pass for one that nobody is on the way in.
    await this.#note(
      rollout,
      first.map(({ key }) => key),
    );
    const changes = await Promise.all(
      first.map(({ key, ...look }) => limit(() => this.#change(rollout, key, decide, look))),
    );
    if (changes.some((change) => change !== undefined)) await this.#markUnfinished(rollout);
  }

  /**
   * Writes how a member ended. One that has failed stays failed while it is merely tried again: only success, another failure or
   * {@link add} tell otherwise. One that is ready keeps what its first success said: the runs of the schedule that follow are no news,
   * unless what is left to be desired has changed.
   * @param options.only one that fares otherwise than this is left as it is
   * @returns the news; undefined when there is none, and when the object is no member
   */
  async settle(
    rollout: Rollout,
    key: string,
    result: MemberResult,
    { only }: { only?: Member['state'] } = {},
  ): Promise<MemberChange | undefined> {
    const decide = (member: Member | undefined) =>
      member && (only === undefined || member.state === only) ? newsOf(member, result) : undefined;
    const [change] = await Promise.all([
      this.#change(rollout, key, decide),
      result.state === 'pending' ? undefined : this.#table.delete(pendingPartition(rollout), key),
    ]);
    // What is yet to come ends by no state that was read before: whoever has seen all members done is about to count the rollout as ended.
    const isToCome = change?.state === 'pending' || (change?.state === 'failed' && key === rollout.source);
    if (isToCome) await this.#markUnfinished(rollout);
    return change;
  }

  /** Forgets that a member has failed. One that is no member, or fares otherwise, is left as it is. */
  async recover(rollout: Rollout, key: string): Promise<void> {
    const ready: MemberResult = { state: 'ready', message: '', runId: '' };
    await this.#change(rollout, key, (member) => (member?.state === 'failed' ? ready : undefined));
  }

  /**
   * Whether members may still be on their way, told without reading them all. Of several that settle at the same time, the
   * last one is told `false`.
   */
  async mayBePending(rollout: Rollout): Promise<boolean> {
    return (await this.#table.query(pendingPartition(rollout), { limit: 1 })).length > 0;
  }

  /** All members, by key. */
  async members(rollout: Rollout): Promise<Member[]> {
    return (await this.read(rollout)).members;
  }

  async #markUnfinished(rollout: Rollout): Promise<void> {
    const expiresAt = this.#now() + KEEP_MS;
    await this.#table.put(unfinishedPartition(rollout), rollout.commit, rollout.commit, { expiresAt });
  }

  /** The members of these keys that are there, as they stand. */
  async #rows(rollout: Rollout, keys: readonly string[]): Promise<Map<string, Row<StoredMember>>> {
    const partition = membersPartition(rollout);
    const read = (key: string) => this.#table.get<StoredMember>(partition, key);
    const rows =
      keys.length < READ_ALL_FROM
        ? await Promise.all(keys.map(read))
        : await this.#table.query<StoredMember>(partition);
    return new Map(rows.filter((row) => row !== undefined).map((row) => [row.sort, row]));
  }

  /** Notes that members may be on their way. */
  async #note(rollout: Rollout, keys: readonly string[]): Promise<void> {
    const partition = pendingPartition(rollout);
    const expiresAt = this.#now() + KEEP_MS;
    await this.#table.batch(keys.map((sort) => ({ put: { partition, sort, value: '', expiresAt } })));
  }

  /**
   * Writes a member unless `decide` leaves it or it says so already; another worker's write is never lost.
   * @param first its row and what is to be written, where that was read and decided, and its note written, already
   */
  async #change(
    rollout: Rollout,
    key: string,
    decide: (member: Member | undefined) => MemberResult | undefined | Promise<MemberResult | undefined>,
    first?: { row: Row<StoredMember> | undefined; result: MemberResult },
  ): Promise<MemberChange | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const isFirst = first !== undefined && attempt === 0;
      const row = isFirst ? first.row : await this.#table.get<StoredMember>(membersPartition(rollout), key);
      const result = isFirst ? first.result : unlessSame(row?.value, await decide(row?.value));
      if (!result) {
        // Another worker was faster and has settled what this one was about to add.
        if (attempt > 0 && row?.value.state !== 'pending')
          await this.#table.delete(pendingPartition(rollout), key);
        return undefined;
      }
      const { state, message, runId, notice = '' } = result;
      const hasFailed = (row?.value.hasFailed ?? false) || state === 'failed';
      const writes = (row?.value.writes ?? 0) + 1;
      const noted = notice === '' ? {} : { notice };
      const value: StoredMember = { key, state, message, ...noted, runId, hasFailed, writes };
      const expiresAt = this.#now() + KEEP_MS;
      if (state === 'pending' && !isFirst) await this.#note(rollout, [key]);
      const options = { ifVersion: row?.version ?? 0, expiresAt };
      if ((await this.#table.put(membersPartition(rollout), key, value, options)) !== undefined)
        return { before: row?.value.state, state, hasFailed };
    }
    throw new Error(
      `the state of ${key} in the rollout of ${rollout.commit} could not be written: too many writers`,
    );
  }
}

function partition({ cluster, source }: Pick<Rollout, 'cluster' | 'source'>): string {
  return clusterPartition('rollout', cluster, source);
}

function siblingsPartition({ cluster, destination, project, commit }: Rollout): string {
  return clusterPartition('rollouts-of-commit', cluster, destination, project, commit);
}

function sentPartition(cluster: string): string {
  return clusterPartition('source-sent', cluster);
}

function unfinishedPartition({ cluster, source }: Pick<Rollout, 'cluster' | 'source'>): string {
  return clusterPartition('rollout-unfinished', cluster, source);
}

function pendingPartition({ cluster, source, commit }: Rollout): string {
  return clusterPartition('rollout-pending', cluster, source, commit);
}

function membersPartition({ cluster, source, commit }: Rollout): string {
  return clusterPartition('rollout-members', cluster, source, commit);
}

/** What is to be written of a member; undefined when it says so already. */
function unlessSame(member: Member | undefined, result: MemberResult | undefined): MemberResult | undefined {
  if (!result || !member) return result;
  const isSame =
    member.state === result.state &&
    member.message === result.message &&
    (member.notice ?? '') === (result.notice ?? '');
  return isSame ? undefined : result;
}

/** What is to be written of a member; undefined when that is no news. */
function newsOf(member: Member, result: MemberResult): MemberResult | undefined {
  if (member.state === 'failed') return result.state === 'pending' ? undefined : result;
  if (member.state !== 'ready' || result.state !== 'ready') return result;
  const isSame = (member.notice ?? '') === (result.notice ?? '');
  return isSame ? undefined : { ...result, message: member.message };
}
