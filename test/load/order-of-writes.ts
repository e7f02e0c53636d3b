import type { TeamRepository } from './git-history.ts';
import { effectiveWrites, type Write } from './write.ts';

/** Effective writes that brought an object, or what a status says, back from a newer commit to an older one; in sentences. */
export function stepsBack(
  writes: readonly Write[],
  repositories: ReadonlyMap<string, Pick<TeamRepository, 'commits'>>,
): string[] {
  const newest = new Map<string, number>();
  const problems: string[] = [];
  for (const write of effectiveWrites(writes)) {
    const { namespace, resource, name, life, method } = write;
    const commits = repositories.get(namespace)?.commits;
    if (!commits) continue;
    const said: Record<string, number | undefined> = { data: write.commit };
    for (const [what, id] of Object.entries(write.revisions)) said[what] = commits.indexOf(id);
    for (const [what, commit] of Object.entries(said)) {
      if (commit === undefined || commit < 0) continue;
      const key = `${resource} ${namespace}/${name}: ${what}`;
      const before = newest.get(key) ?? 0;
      if (commit < before)
        problems.push(
          `${key} went back from commit ${before} to ${commit} by a ${method} of ${life.worker} (life ${life.number}) at ${new Date(write.answeredAt).toISOString()}`,
        );
      newest.set(key, commit);
    }
  }
  return problems;
}
