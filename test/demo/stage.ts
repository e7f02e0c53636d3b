import { setTimeout as sleep } from 'node:timers/promises';
import type { GiteaStatus } from '../support/gitea-repository.ts';
import { type Cleanup, type Environment, seconds, startDelivery } from './environment.ts';
import { type ClusterName, clusterNames } from './fleet-files.ts';
import { runTeller } from './runs.ts';
import type { Slipway } from './slipway-process.ts';
import type { Story } from './story.ts';
import { describeChange, type ObjectWatch, watchObjects } from './watch-objects.ts';
import { watchStatuses } from './watch-statuses.ts';

/** What the chapters work with: everything is observed from outside and told as it happens. */
export interface Stage {
  environment: Environment;
  story: Story;
  slipway: Slipway;
  objects: Record<ClusterName, ObjectWatch>;
  /** Measured times in ms, by name. */
  times: Map<string, number>;
  /** The newest statuses of the newest commit of main. */
  statuses(): GiteaStatus[];
  /** State of a cluster's status on a commit, once that commit is the newest. */
  statusOf(commit: string, cluster: ClusterName): string | undefined;
  /** The newest commit of main that a webhook has told of. */
  newest(): string;
  /** ms between the start of the chapter and the last change in any cluster. */
  lastChange(): number;
  /** ms between the start of the chapter and the first change in any cluster. */
  firstChange(): number | undefined;
  /** Begins a chapter. */
  begin(title: string, explanation?: string): void;
  /** Ends a chapter: waits until nothing more is happening, then tells the jobs that ran, and concludes. */
  conclude(text: string): Promise<void>;
  /** Waits until nothing more is happening, so that what belongs to a chapter is told in it. */
  quiet(): Promise<void>;
  /** Waits until a condition holds; fails with the end of Slipway's log. */
  until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>;
}

/** Starts Slipway with everything that observes it. */
export async function setStage(environment: Environment, story: Story, cleanup: Cleanup): Promise<Stage> {
  const times = new Map<string, number>();
  let commit = '';
  let firstChange: number | undefined;
  let lastChange = 0;

  let lastEvent = 0;
  const tell: Story['event'] = (who, what, kind) => {
    lastEvent = performance.now();
    story.event(who, what, kind);
  };

  const follow = async (cluster: ClusterName): Promise<ObjectWatch> => {
    const watch = await watchObjects(environment.clusters[cluster], (change) => {
      const words = describeChange(change);
      if (!words) return;
      lastChange = story.elapsed();
      firstChange ??= lastChange;
      tell(cluster, words);
    });
    cleanup(() => watch.stop());
    return watch;
  };
  const objects = { staging: await follow('staging'), production: await follow('production') };

  const statuses = watchStatuses(environment.repository, (status) => {
    const kind = status.status === 'success' ? 'good' : status.status === 'pending' ? 'plain' : 'bad';
    tell('commit', shorten(`${mark(status.status)} ${status.context}: ${status.description}`), kind);
  });
  cleanup(() => statuses.stop());

  story.restart();
  const slipway = await startDelivery(environment, story, cleanup, (delivery) => {
    if (delivery.ref === 'refs/heads/main') {
      commit = delivery.commit ?? '';
      statuses.follow(commit);
      if (!times.has('webhook answered')) times.set('webhook answered', delivery.ms);
    }
    if (delivery.what !== undefined)
      tell('webhook', `${delivery.what} answered ${delivery.status} in ${seconds(delivery.ms)}`);
  });

  const tellRuns = runTeller(slipway, story);
  async function quiet(): Promise<void> {
    const began = performance.now();
    while (performance.now() - Math.max(lastEvent, began) < 400 && performance.now() - began < 3_000)
      await sleep(20);
  }

  return {
    environment,
    story,
    slipway,
    objects,
    times,
    statuses: statuses.current,
    newest: () => commit,
    statusOf(wanted, cluster) {
      if (wanted !== commit) return undefined;
      return statuses.current().find((status) => status.context === `slipway/${cluster}`)?.status;
    },
    firstChange: () => firstChange,
    lastChange: () => lastChange,
    begin(title, explanation) {
      story.chapter(title, explanation);
      firstChange = undefined;
      lastChange = 0;
    },
    async conclude(text) {
      await quiet();
      await tellRuns();
      story.conclude(text);
    },
    quiet,
    async until(what, condition, timeoutMs = 60_000) {
      const deadline = performance.now() + timeoutMs;
      while (!(await condition())) {
        if (!slipway.server.running()) throw new Error(`Slipway ended.\n${slipway.server.logTail()}`);
        if (performance.now() > deadline) {
          throw new Error(
            `Not within ${timeoutMs / 1000} s: ${what}. Slipway's log ends:\n${slipway.server.logTail()}`,
          );
        }
        await sleep(20);
      }
    },
  };
}

/** Whether every cluster reports success on a commit. */
export function isGreen(stage: Stage, commit: string): boolean {
  return clusterNames.every((cluster) => stage.statusOf(commit, cluster) === 'success');
}

function mark(status: string): string {
  return { success: '✓', pending: '•' }[status] ?? '✗';
}

/** Cut where it would fill more than two lines of a terminal. */
function shorten(text: string): string {
  return text.length > 260 ? `${text.slice(0, 259)}…` : text;
}
