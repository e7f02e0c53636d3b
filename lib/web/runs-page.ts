import { html } from 'hono/html';
import type { RunRecord } from '../store/runs.ts';
import { type Html, layout } from './layout.ts';
import { type RunView, runTable } from './run-parts.ts';

/** What the list of runs was asked for. */
export interface RunsQuery {
  cluster: string;
  object: string;
  /** The id from which older ones are shown; empty for the newest. */
  before: string;
}

/**
 * The list of runs, newest first.
 * @param more whether there are older ones than those shown
 */
export function runsPage(
  runs: readonly RunRecord[],
  query: RunsQuery,
  clusters: readonly string[],
  more: boolean,
  view: RunView,
): Html {
  const filters = {
    ...(query.cluster && { cluster: query.cluster }),
    ...(query.object && { object: query.object }),
  };
  const last = runs.at(-1)?.id;
  const older =
    more && last !== undefined ? `/runs?${new URLSearchParams({ ...filters, before: last })}` : undefined;
  const newest = query.before === '' ? undefined : `/runs?${new URLSearchParams(filters)}`;
  const option = (name: string) =>
    html`<option value="${name}"${name === query.cluster ? html` selected` : ''}>${name}</option>`;
  return layout({
    title: 'Runs',
    section: 'runs',
    body: html`<h1>Runs</h1>
<p class="quiet">Every reconcile that did something: who deployed what, when, and how it ended.</p>
<form class="filter" action="/runs" method="get">
<label>Cluster<select name="cluster"><option value="">all</option>${clusters.map(option)}</select></label>
<label>Object<input name="object" value="${query.object}" placeholder="Kustomization/apps/podinfo" size="34"></label>
<button type="submit">Show</button></form>
${runTable(runs, view)}
<nav class="pages" aria-label="Pages">${newest === undefined ? '' : html`<a href="${newest}">Newest</a>`}
${older === undefined ? '' : html`<a href="${older}">Older</a>`}</nav>`,
  });
}
