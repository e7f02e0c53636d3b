import { html } from 'hono/html';
import { commitOf } from '../core/revision.ts';
import { safeUrl } from '../forge/plain-text.ts';
import type { RunRecord } from '../store/runs.ts';
import { formatAgo, formatCounts, formatMs, formatTime, objectName } from './format.ts';
import type { Html } from './layout.ts';

/** What pages need to show a run. */
export interface RunView {
  /** Epoch in ms. */
  now: number;
}

const RESULTS: Readonly<Record<RunRecord['result'], { sign: string; word: string }>> = {
  success: { sign: '✓', word: 'Succeeded' },
  failure: { sign: '✕', word: 'Failed' },
  waiting: { sign: '…', word: 'In progress' },
};

/** The result of a run, by word and sign and not by colour alone. */
export function resultBadge(result: RunRecord['result']): Html {
  const { sign, word } = RESULTS[result];
  return html`<span class="badge ${result}"><span aria-hidden="true">${sign}</span>${word}</span>`;
}

/** A moment, relative, with the exact one in reach. */
export function moment(epochMs: number, now: number): Html {
  const exact = formatTime(epochMs);
  return html`<time datetime="${new Date(epochMs).toISOString()}" title="${exact}">${formatAgo(epochMs, now)}</time>`;
}

/** The commit of a run (that of a push, or else of what it applied), shortened, as a link where its provider has a page. */
export function commitLink(run: RunRecord): Html {
  const commit = run.origin?.commit ?? commitOf(run.revision);
  if (commit === '') return html`<span class="quiet">none</span>`;
  const url = safeUrl(run.origin?.commitUrl);
  const short = html`<code title="${commit}">${commit.slice(0, 8)}</code>`;
  return url === undefined ? short : html`<a href="${url}" rel="noreferrer">${short}</a>`;
}

/** Where the page of a run is. */
export function runPath({ cluster, id }: Pick<RunRecord, 'cluster' | 'id'>): string {
  return `/runs/${encodeURIComponent(cluster)}/${encodeURIComponent(id)}`;
}

/** A table of runs. */
export function runTable(runs: readonly RunRecord[], view: RunView): Html {
  if (runs.length === 0)
    return html`<p class="card quiet">No runs yet. A push that changes something will show up here.</p>`;
  return html`<div class="card table scroll"><table>
<thead><tr><th scope="col">Result</th><th scope="col">Object</th><th scope="col">Cluster</th><th scope="col">Commit</th>
<th scope="col">By</th><th scope="col">Changes</th><th scope="col">Started</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${runs.map(
    (run) => html`<tr>
<td>${resultBadge(run.result)}</td>
<td><a href="${runPath(run)}">${objectName(run)}</a></td>
<td>${run.cluster}</td>
<td>${commitLink(run)}</td>
<td>${nameOnly(run.origin?.author ?? run.origin?.pusher ?? '')}</td>
<td>${summary(run)}</td>
<td class="time">${moment(run.startedAt, view.now)}</td>
<td class="number">${formatMs(run.finishedAt - run.startedAt)}</td>
</tr>`,
  )}</tbody></table></div>`;
}

/** What was done; of a long run only how much. */
function summary(run: RunRecord): string {
  const { changeCount = 0, changes } = run;
  if (changeCount > changes.length) return `${changeCount} objects`;
  const nothing = run.object.kind === 'Kustomization' ? 'no changes' : 'fetched';
  return formatCounts(changes) || (run.result === 'success' ? nothing : run.reason);
}

/** `Ada` of `Ada <ada@example.org>`: lists need no addresses. */
export function nameOnly(person: string): string {
  return person.replace(/\s*<[^>]*>$/, '');
}
