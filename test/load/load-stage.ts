import { eventually } from '../support/eventually.ts';
import { gitRepository, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import { startGitea } from '../support/gitea.ts';
import { type Objects, objectsOf } from '../support/kube-objects.ts';
import { startKubernetes } from '../support/kubernetes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startAwsInstallation } from './aws-installation.ts';
import { CLUSTER } from './cluster-name.ts';
import { Evidence } from './evidence.ts';
import { differences } from './final-state.ts';
import { createTeamRepository, type TeamRepository } from './git-history.ts';
import type { Installation } from './installation.ts';
import type { LoadOptions } from './play-load.ts';
import { startSqliteInstallation } from './sqlite-installation.ts';
import type { Story, Team } from './story.ts';

/** Everything that a load is played on. */
export interface LoadStage {
  objects: Objects;
  repositories: ReadonlyMap<string, TeamRepository>;
  evidence: Evidence;
  installation: Installation;
  stop(): Promise<void>;
}

/** So often a source is looked at without a push: dropped deliveries are found by that. */
const SOURCE_INTERVAL = '30s';

/** Starts all servers, makes the repositories, and waits until every team's first commit is deployed. */
export async function setLoadStage(
  { backend, keep, say }: Pick<LoadOptions, 'backend' | 'keep' | 'say'>,
  { teams }: Story,
): Promise<LoadStage> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closing.toReversed()) await close();
  };
  try {
    const directory = await temporaryDirectory();
    closing.push(async () => (keep ? say(`the logs are in ${directory.path}`) : directory.remove()));
    const kubernetes = await startKubernetes({ name: CLUSTER });
    closing.push(kubernetes.stop);
    const gitea = await startGitea();
    closing.push(gitea.stop);
    const repositories = new Map<string, TeamRepository>();
    for (const team of teams) repositories.set(team.name, await createTeamRepository(gitea, team));
    const files = teams.map((team) => [
      `clusters/${CLUSTER}/${team.name}.yaml`,
      teamYaml(team, repositories.get(team.name)?.url ?? ''),
    ]);
    const fleet = await gitea.createRepository('fleet', { files: Object.fromEntries(files) });
    const evidence = new Evidence();
    const start = backend === 'aws' ? startAwsInstallation : startSqliteInstallation;
    const installation = await start({
      ...{ kubernetes, gitea, evidence },
      directory: directory.path,
      fleet: fleet.url,
    });
    closing.push(() => installation.stop());
    const objects = objectsOf(kubernetes);
    await eventually(
      'the first commit of every team is deployed',
      async () => (await differences(objects, repositories.values(), 0)).length === 0,
      {
        deadlineMs: 180_000,
        explain: async () =>
          [
            ...(await differences(objects, repositories.values(), 0)),
            ...installation.workers.map(({ lastLines }) => lastLines),
          ].join('\n'),
      },
    );
    return { objects, repositories, evidence, installation, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A team's namespace, its source, and the one Kustomization of it. */
function teamYaml({ name }: Team, url: string): string {
  const source = gitRepository('app', name, url, { interval: SOURCE_INTERVAL });
  const spec = { sourceRef: { kind: 'GitRepository', name: 'app' } };
  return yaml(namespace(name), source, kustomization('app', './app', spec, name));
}
