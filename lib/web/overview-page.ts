import { html } from 'hono/html';
import type { RunRecord } from '../store/runs.ts';
import { objectKey, objectName } from './format.ts';
import { type Html, layout } from './layout.ts';
import { moment, type RunView, resultBadge, runPath, runTable } from './run-parts.ts';

/** A cluster and its latest runs, newest first. */
export interface ClusterRuns {
  cluster: string;
  runs: readonly RunRecord[];
}

/** The first page: how each cluster fares, and what happened last. */
export function overviewPage(
  clusters: readonly ClusterRuns[],
  recent: readonly RunRecord[],
  view: RunView,
): Html {
  return layout({
    title: 'Overview',
    section: 'overview',
    body: html`<h1>Clusters</h1>
${clusters.length === 0 ? html`<p class="card quiet">The fleet file names no cluster yet.</p>` : ''}
<div class="cards">${clusters.map((one) => clusterCard(one, view))}</div>
<h2>Latest runs</h2>${runTable(recent, view)}`,
  });
}

function clusterCard({ cluster, runs }: ClusterRuns, view: RunView): Html {
  const latest = latestOfEach(runs);
  const failing = latest.filter(({ result }) => result === 'failure');
  const result =
    failing.length > 0 ? 'failure' : latest.some((run) => run.result === 'waiting') ? 'waiting' : 'success';
  const [newest] = runs;
  return html`<section class="card"><h3><a href="/runs?${new URLSearchParams({ cluster })}">${cluster}</a>${
    newest ? resultBadge(result) : ''
  }</h3>
${newest ? html`<p class="quiet">last run ${moment(newest.startedAt, view.now)}</p>` : html`<p class="quiet">no run yet</p>`}
${
  failing.length === 0
    ? ''
    : html`<ul>${failing
        .slice(0, 5)
        .map((run) => html`<li><a href="${runPath(run)}">${objectName(run)}</a>: ${run.reason}</li>`)}
${failing.length > 5 ? html`<li>and ${failing.length - 5} more</li>` : ''}</ul>`
}</section>`;
}

/** The newest run of each object. */
function latestOfEach(runs: readonly RunRecord[]): RunRecord[] {
  const byObject = new Map<string, RunRecord>();
  for (const run of runs) if (!byObject.has(objectKey(run))) byObject.set(objectKey(run), run);
  return [...byObject.values()];
}
