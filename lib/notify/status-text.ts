import type { Member, Rollout } from '../store/rollouts.ts';

/** GitHub's limit, the lowest of all. */
const MAX = 140;

const COUNT = /^(\d{1,9}) (created|configured|changed|deleted|unchanged)$/;

/** The text of members that found nothing to do. */
const NOTHING = 'nothing to change';

/**
 * One line on how a commit fares in a cluster, for its commit status. Equal situations give equal texts, so that nothing is posted twice:
 * no durations, no counts that move while it runs.
 * @param members what is known of each object; ready ones say `2 created, 1 unchanged`, failed ones `Kind/namespace/name: why`
 */
export function describeRollout(
  rollout: Pick<Rollout, 'cluster' | 'supersededBy'>,
  members: readonly Pick<Member, 'key' | 'state' | 'message' | 'notice'>[],
): string {
  const failed = members.filter(({ state }) => state === 'failed');
  if (failed.length > 0) return describeFailure(failed, members.length);
  if (rollout.supersededBy !== '') return `superseded by ${rollout.supersededBy.slice(0, 8)}`;
  if (members.some(({ state }) => state === 'pending')) return `deploying to ${rollout.cluster}`;
  const done = sumUp(members.map(({ message }) => message)) ?? `deployed to ${rollout.cluster}`;
  const [first, ...more] = inOrder(members.filter(({ notice = '' }) => notice !== ''));
  if (!first) return done;
  return shorten(`${done}; ${more.length > 0 ? `${more.length + 1} notices: ` : ''}${first.notice}`);
}

/** One line on how a single object fares, for a commit status of its own. */
export function describeMember({ message, notice = '' }: Pick<Member, 'message' | 'notice'>): string {
  return [message, notice].filter((text) => text !== '').join('; ');
}

function inOrder<T extends Pick<Member, 'key'>>(members: readonly T[]): T[] {
  return [...members].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The first failure in the order of the keys, and how many there are. */
function describeFailure(failed: readonly Pick<Member, 'key' | 'message'>[], total: number): string {
  const [first] = inOrder(failed);
  const message = first?.message || `${first?.key}: failed`;
  return shorten(failed.length === 1 ? message : `${failed.length} of ${total} failed: ${message}`);
}

/** `3 changed, 1 deleted, 12 unchanged` over all; undefined when a text is no such summary. */
function sumUp(messages: readonly string[]): string | undefined {
  const sums = { changed: 0, deleted: 0, unchanged: 0 };
  for (const message of messages) {
    if (message === NOTHING || message === '') continue;
    for (const part of message.split(', ')) {
      const [, count, action] = COUNT.exec(part) ?? [];
      if (count === undefined) return undefined;
      const name = action === 'deleted' || action === 'unchanged' ? action : 'changed';
      sums[name] += Number(count);
    }
  }
  const parts = Object.entries(sums).filter(([, count]) => count > 0);
  return parts.length === 0 ? NOTHING : parts.map(([name, count]) => `${count} ${name}`).join(', ');
}

/** The first line of a text within the limit, cut at a word where one ends near it. */
function shorten(text: string): string {
  const line = (text.trim().split(/\r?\n/)[0] ?? '').trim();
  if (line.length <= MAX) return line;
  const cut = line.slice(0, MAX - 1);
  const space = cut.lastIndexOf(' ');
  const end = space > MAX - 25 ? cut.slice(0, space) : cut.replace(/[\ud800-\udbff]$/, '');
  return `${end}…`;
}
