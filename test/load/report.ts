import process from 'node:process';
import { type LoadReport, seconds } from './play-load.ts';

/** So many problems are printed; the others are counted. */
const MOST = 40;

/** Prints what came of a load: figures, and what must not be. */
export function printReport(report: LoadReport): void {
  const { size, delivered, strikes, problems } = report;
  const rows: [string, string | number][] = [
    ['backend', report.backend],
    ['seed', report.seed],
    ['objects', `${size.repositories * size.objects} in ${size.repositories} repositories`],
    ['pushes', size.pushes],
    ['  dropped', delivered.dropped],
    ['  delivered twice', delivered.duplicated],
    ['  overtaken on their way', delivered.outOfOrder],
    ['deliveries accepted', delivered.accepted],
    ['deliveries repeated', `${delivered.repeated} (nobody was there)`],
    ['workers killed', strikes.kills],
    ['workers frozen', strikes.pauses],
    ['writes kept back', strikes.held],
    ['runs', report.runs],
    ['writes to the cluster', `${report.writes}, ${report.effective} of them changed something`],
    ['stale writes', `${report.stale}${listed(report.staleEffects)}`],
    ['commit statuses', listed(report.statuses).slice(2)],
    ['dead letters', report.deadLetters],
    ['time of the load', seconds(report.loadMs)],
    ['right after another', seconds(report.settledMs)],
    ['problems', problems.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
  for (const problem of problems.slice(0, MOST)) process.stdout.write(`✗ ${problem}\n`);
  if (problems.length > MOST) process.stdout.write(`✗ and ${problems.length - MOST} more\n`);
}

function listed(counts: Record<string, number>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}
