import { changed } from '../../lib/core/changeset.ts';
import type { RunRecord } from '../../lib/store/runs.ts';
import { clusterNames } from './fleet-files.ts';
import type { Slipway } from './slipway-process.ts';
import type { Story } from './story.ts';

/**
 * Tells the jobs of a chapter as Slipway recorded them (`slipway get runs`), for each cluster.
 * @returns tells those that came since the last call
 */
export function runTeller(slipway: Slipway, story: Story): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    const text = await slipway.command('get', 'runs', '--limit', '200', '--output', 'json');
    const runs = (JSON.parse(text) as RunRecord[]).filter((run) => !told.has(run.id));
    for (const run of runs) told.add(run.id);
    for (const cluster of clusterNames) {
      const own = runs.filter((run) => run.cluster === cluster).sort((a, b) => a.startedAt - b.startedAt);
      // Three to a line fit a terminal.
      for (let first = 0; first < own.length; first += 3) {
        const part = own
          .slice(first, first + 3)
          .map(describeRun)
          .join(' → ');
        story.aside(first === 0 ? 'jobs' : '', first === 0 ? `${cluster}: ${part}` : `  → ${part}`);
      }
    }
  };
}

function describeRun(run: RunRecord): string {
  const changes = changed({ entries: run.changes }).length;
  const { kind, name } = run.object;
  const outcome = {
    success: changes > 0 ? `, ${changes} changed` : '',
    failure: ', failed',
    waiting: ', waits',
  };
  return `${kind}/${name} (${run.finishedAt - run.startedAt} ms${outcome[run.result]})`;
}
