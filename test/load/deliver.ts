import { setTimeout as delay } from 'node:timers/promises';
import { signedPush } from '../support/signed-push.ts';
import { WEBHOOK_SECRET } from '../support/slipway.ts';
import type { TeamRepository } from './git-history.ts';
import type { Push, Story } from './story.ts';

/** What became of the deliveries. */
export interface Delivered {
  /** Pushes of which nothing was delivered. */
  dropped: number;
  /** Pushes that were delivered twice. */
  duplicated: number;
  /** Deliveries that came after one of a later push to the same repository. */
  outOfOrder: number;
  /** Accepted deliveries, duplicates included. */
  accepted: number;
  /** Attempts that were not accepted, since no worker ran, and were made again. */
  repeated: number;
}

/** How long a provider waits for an answer, and rests before it delivers again, in ms. */
const ANSWER_MS = 10_000;
const AGAIN_MS = 1_000;

/** Plays the pushes of a story in real time, and delivers their webhooks. Resolves when the last one is accepted. */
export async function deliverPushes(
  story: Story,
  repositories: ReadonlyMap<string, TeamRepository>,
  url: string,
  signal: AbortSignal,
): Promise<Delivered> {
  const result: Delivered = {
    dropped: story.pushes.filter(({ deliveries }) => deliveries.length === 0).length,
    duplicated: story.pushes.filter(({ deliveries }) => deliveries.length > 1).length,
    ...{ outOfOrder: 0, accepted: 0, repeated: 0 },
  };
  const newest = new Map<string, number>();
  const began = Date.now();

  async function play({ number, team, commit, at, deliveries }: Push): Promise<void> {
    const repository = repositories.get(team.name);
    if (!repository) throw new Error(`${team.name} has no repository`);
    await delay(Math.max(0, began + at - Date.now()), undefined, { signal });
    await repository.moveTo(commit);
    const id = repository.commits[commit] ?? '';
    const request = signedPush(repository.url, id, `delivery-${number}`, WEBHOOK_SECRET);
    await Promise.all(
      deliveries.map(async (time) => {
        await delay(Math.max(0, began + time - Date.now()), undefined, { signal });
        while (!(await post(`${url}/webhooks/gitea`, request))) {
          signal.throwIfAborted();
          result.repeated += 1;
          await delay(AGAIN_MS, undefined, { signal });
        }
        result.accepted += 1;
        const before = newest.get(team.name) ?? 0;
        if (commit < before) result.outOfOrder += 1;
        newest.set(team.name, Math.max(commit, before));
      }),
    );
  }

  await Promise.all(story.pushes.map(play));
  return result;
}

/** @returns whether it was accepted */
async function post(url: string, request: RequestInit): Promise<boolean> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer();
    return response.status === 202;
  } catch {
    return false;
  }
}
