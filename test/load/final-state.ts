import { conditionOf, isReadyAt, type Objects } from '../support/kube-objects.ts';
import type { TeamRepository } from './git-history.ts';
import { TEAM } from './story.ts';

interface ConfigMap {
  metadata: { name: string; namespace: string };
  data?: { commit?: string };
}

/** What in the cluster is not as the last commits of all teams say (or those of a number), in sentences; empty when everything is. */
export async function differences(
  objects: Objects,
  repositories: Iterable<TeamRepository>,
  number = -1,
): Promise<string[]> {
  const [maps, kustomizations, sources] = await Promise.all([
    objects.list<ConfigMap>('configmaps'),
    objects.list('kustomizations'),
    objects.list('gitrepositories'),
  ]);
  const found = Map.groupBy(
    maps.filter(({ metadata: { namespace } }) => namespace.startsWith(TEAM)),
    ({ metadata }) => metadata.namespace,
  );
  const problems: string[] = [];
  for (const { team, commits } of repositories) {
    const last = commits.at(number) ?? '';
    const wanted = new Map(team.commits.at(number));
    for (const { metadata, data } of found.get(team.name) ?? []) {
      const name = `${team.name}/${metadata.name}`;
      const commit = wanted.get(metadata.name);
      wanted.delete(metadata.name);
      if (!metadata.name.startsWith('object-')) continue;
      if (commit === undefined) problems.push(`${name} is not in Git`);
      else if (String(commit) !== data?.commit)
        problems.push(`${name} is of commit ${data?.commit}, not ${commit}`);
    }
    for (const name of wanted.keys()) problems.push(`${team.name}/${name} is missing`);
    for (const [kind, items] of Object.entries({ Kustomization: kustomizations, GitRepository: sources })) {
      const own = items.find(({ metadata }) => metadata.namespace === team.name);
      if (isReadyAt(own, last)) continue;
      const { status, reason, message } = conditionOf(own) ?? {};
      const at = own?.status?.lastAppliedRevision ?? own?.status?.artifact?.revision;
      problems.push(
        `${kind} ${team.name}/app is not ready at ${last}, but ${status} at ${at}: ${reason}: ${message}`,
      );
    }
  }
  return problems;
}
