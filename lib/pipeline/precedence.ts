import type { ClusterConnection } from './context.ts';
import type { Run } from './run.ts';

/** So long bookkeeping rests at most for the sake of runs, in ms: where there are always some it goes on slowly, and comes to its end. */
const LONGEST_REST_MS = 100;

/** The runs of a cluster in this process that bring something about, and who waits for them to end. */
interface UnderWay {
  runs: Set<Run>;
  waiting: Set<() => void>;
}

const underWay = new WeakMap<ClusterConnection, UnderWay>();

function of(cluster: ClusterConnection): UnderWay {
  const known = underWay.get(cluster) ?? { runs: new Set(), waiting: new Set() };
  underWay.set(cluster, known);
  return known;
}

/** Runs that come by the clock: nobody waits for them either. */
const PERIODIC: ReadonlySet<string> = new Set(['due', 'sweep']);

/** From here on bookkeeping of the same cluster gives way to a run that somebody waits for. @returns what ends that */
export function takePrecedence(run: Run): () => void {
  if (!PERIODIC.has(run.job.trigger)) of(run.cluster).runs.add(run);
  return () => stepBack(run);
}

/**
 * Lets other runs of the cluster go first: what a push deploys must not wait while a thousand statuses are moved on for which nobody waits.
 * The run itself only keeps the books from then on, and takes precedence of none. Resolves at once when no other is under way.
 */
export async function giveWay(run: Run): Promise<void> {
  stepBack(run);
  const { runs, waiting } = of(run.cluster);
  if (runs.size === 0) return;
  const enough = new AbortController();
  const rest = () => enough.abort();
  waiting.add(rest);
  const signal = AbortSignal.any([run.signal, enough.signal]);
  await run.ctx.sleep(LONGEST_REST_MS, signal).catch(() => undefined);
  waiting.delete(rest);
}

function stepBack(run: Run): void {
  const { runs, waiting } = of(run.cluster);
  runs.delete(run);
  if (runs.size === 0) for (const wake of waiting) wake();
}
