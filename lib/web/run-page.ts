import { html } from 'hono/html';
import type { ChangeSetEntry } from '../core/changeset.ts';
import { describe } from '../core/object.ts';
import type { RunRecord } from '../store/runs.ts';
import { formatCounts, formatMs, formatTime, objectKey, objectName } from './format.ts';
import { type Html, layout } from './layout.ts';
import { commitLink, moment, type RunView, resultBadge } from './run-parts.ts';

/** A trigger in words. */
const TRIGGERS: Readonly<Record<RunRecord['trigger'], string>> = {
  push: 'a push',
  source: 'a new revision of its source',
  dependency: 'a dependency that became ready',
  sweep: 'the sweep',
  due: 'its interval',
  watch: 'a change in the cluster',
  request: 'a request',
  health: 'a look at health',
  retry: 'another try after a failure',
  prune: 'the end of a wait before pruning',
};

/** The page of one run: the target of commit statuses. */
export function runPage(run: RunRecord, view: RunView): Html {
  const name = objectName(run);
  return layout({
    title: `${name} on ${run.cluster}`,
    section: 'runs',
    ...(run.result === 'waiting' ? { refreshSeconds: 10 } : {}),
    body: html`<p>${resultBadge(run.result)}</p>
<h1>${name}</h1>
<p class="quiet">on <strong>${run.cluster}</strong> · ${moment(run.startedAt, view.now)} · took ${formatMs(run.finishedAt - run.startedAt)}</p>
<section class="card message ${run.result}" aria-labelledby="message"><h2 id="message">${run.reason || 'Message'}</h2>
<pre>${run.message || 'No message.'}</pre></section>
<section class="card" aria-label="Facts">${facts(run)}</section>
${steps(run)}${changes(run)}`,
  });
}

function facts(run: RunRecord): Html {
  const { origin } = run;
  const history = `/runs?${new URLSearchParams({ cluster: run.cluster, object: objectKey(run) })}`;
  const rows: [string, Html | string][] = [
    ['Commit', commitLink(run)],
    ['Revision', run.revision ?? ''],
    ['Author', origin?.author ?? ''],
    ['Committer', origin?.committer === origin?.author ? '' : (origin?.committer ?? '')],
    ['Pushed by', origin?.pusher ?? ''],
    ['Pull request', origin?.pullRequest === undefined ? '' : `#${origin.pullRequest}`],
    ['Triggered by', TRIGGERS[run.trigger]],
    ['Started', formatTime(run.startedAt)],
    ['Finished', formatTime(run.finishedAt)],
    ['Object', html`<a href="${history}">${objectKey(run)}</a> <span class="quiet">(all its runs)</span>`],
    ['Run', html`<code>${run.id}</code>`],
  ];
  return html`<dl class="facts">${rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The steps one below the other, each bar where and as long as the step was. */
function steps(run: RunRecord): Html {
  if (run.steps.length === 0) return html``;
  const total = Math.max(
    1,
    run.steps.reduce((sum, { ms }) => sum + ms, 0),
  );
  let start = 0;
  const rows = run.steps.map(({ name, ms }) => {
    const [x, width] = [(start / total) * 100, Math.max(0.6, (ms / total) * 100)];
    start += ms;
    return html`<tr><th scope="row">${name}</th><td><svg class="bar" aria-hidden="true"><rect x="${x.toFixed(2)}%"
 width="${Math.min(width, 100 - Math.min(x, 99.4)).toFixed(2)}%" height="100%" rx="3"/></svg></td><td class="number">${formatMs(ms)}</td></tr>`;
  });
  return html`<h2>Steps</h2><div class="card table scroll"><table><thead><tr><th scope="col">Step</th>
<th scope="col">When</th><th scope="col" class="number">Took</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function changes(run: RunRecord): Html {
  const told = run.changes.filter(({ action }) => action !== 'unchanged');
  const unchanged = run.changes.filter(({ action }) => action === 'unchanged');
  const counted = formatCounts(run.changes);
  const missing = (run.changeCount ?? run.changes.length) - run.changes.length;
  return html`<h2>Changes</h2>
${counted === '' ? html`<p class="card quiet">Nothing was looked at.</p>` : html`<p class="quiet">${counted}</p>`}
${told.length === 0 ? '' : changeTable(told)}
${missing > 0 ? html`<p class="quiet">… and ${missing} more that are not listed.</p>` : ''}
${unchanged.length === 0 ? '' : html`<details><summary>${unchanged.length} unchanged</summary>${changeTable(unchanged)}</details>`}`;
}

function changeTable(entries: readonly ChangeSetEntry[]): Html {
  return html`<div class="card table scroll"><table><thead><tr><th scope="col">What</th><th scope="col">Object</th>
<th scope="col">Detail</th></tr></thead><tbody>${entries.map(
    ({ ref, action, detail }) => html`<tr><td><span class="badge ${action}">${action}</span></td>
<td class="mono">${describe(ref)}</td><td>${detail ?? ''}</td></tr>`,
  )}</tbody></table></div>`;
}
