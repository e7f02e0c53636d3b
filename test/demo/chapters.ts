import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { kubeCall } from '../support/kube-request.ts';
import { seconds } from './environment.ts';
import { badFiles, clusterNames, driftInterval, releaseFiles } from './fleet-files.ts';
import { isGreen, type Stage } from './stage.ts';
import { imageOf } from './watch-objects.ts';

const run = promisify(execFile);
const deployments = '/apis/apps/v1/namespaces/podinfo/deployments';

/** Slipway finds two empty clusters and brings up what the repository says. */
export async function firstDeployment(stage: Stage): Promise<void> {
  const { objects, times } = stage;
  await stage.until('both applications in both clusters', () =>
    clusterNames.every(
      (cluster) =>
        ['Deployment', 'Service', 'ConfigMap'].every((kind) => objects[cluster].get(kind, 'podinfo')) &&
        objects[cluster].get('Deployment', 'shop'),
    ),
  );
  times.set('empty clusters → applications there', stage.lastChange());
  await stage.conclude(
    `both clusters run what the repository says, ${seconds(stage.lastChange())} after Slipway's start`,
  );
}

/** A pull request is merged. Answers its merge commit. */
export async function release(stage: Stage): Promise<string> {
  const { environment, story, objects, times } = stage;
  const title = 'Release podinfo 6.9.1';
  stage.begin('A pull request', `"${title}", for both clusters`);
  const number = await environment.repository.openPullRequest('release-6.9.1', releaseFiles('6.9.1'), title);
  await stage.quiet();
  story.text(`opened ${environment.repository.page}/pulls/${number}`);

  stage.begin('Merged', 'Times count from the click on "merge".');
  const merged = await environment.repository.merge(number);
  story.event('git', `#${number} merged as ${merged.slice(0, 7)}`);
  await stage.until('6.9.1 in both clusters', () =>
    clusterNames.every((cluster) =>
      imageOf(objects[cluster].get('Deployment', 'podinfo'))?.endsWith(':6.9.1'),
    ),
  );
  times.set('merge → first cluster changed', stage.firstChange() ?? 0);
  times.set('merge → both clusters changed', stage.lastChange());
  await stage.until('green statuses', () => isGreen(stage, merged));
  times.set('merge → green on the commit', story.elapsed());
  await stage.conclude(`deployed to both clusters in ${seconds(stage.lastChange())}, green on the commit`);
  return merged;
}

/** Somebody changes production by hand. */
export async function drift(stage: Stage): Promise<void> {
  const { environment, story, objects, times } = stage;
  stage.begin(
    'Drift',
    `Somebody edits production by hand. The interval of the Kustomization is ${driftInterval}.`,
  );
  const before = objects.production.get('Service', 'podinfo')?.metadata.uid;
  story.restart();
  const production = environment.clusters.production;
  const scaled = { spec: { replicas: 10 } };
  await kubeCall(production, 'PATCH', `${deployments}/podinfo?fieldManager=kubectl-edit`, scaled);
  await kubeCall(production, 'DELETE', '/api/v1/namespaces/podinfo/services/podinfo');
  const edited = story.elapsed();
  await stage.until('production as in the repository', () => {
    const service = objects.production.get('Service', 'podinfo')?.metadata.uid;
    const replicas = objects.production.get('Deployment', 'podinfo')?.spec?.replicas;
    return service !== undefined && service !== before && replicas === 3;
  });
  times.set('drift → corrected', stage.lastChange() - edited);
  await stage.conclude(`found and corrected after ${seconds(stage.lastChange() - edited)}`);
}

/** A commit that the API server of production refuses. Answers it. */
export async function badCommit(stage: Stage): Promise<string> {
  const { environment, story, times } = stage;
  stage.begin('A bad commit', 'It removes the settings of production and mistypes the number of replicas.');
  const before = await production(stage);
  story.restart();
  const bad = await environment.repository.commit(badFiles(), { message: 'Trim production' });
  story.event('git', `pushed ${bad.slice(0, 7)} "Trim production"`);
  const red = ['failure', 'error'];
  await stage.until('a red status', () => red.includes(stage.statusOf(bad, 'production') ?? ''));
  times.set('bad push → red on the commit', story.elapsed());
  await stage.until('staging green', () => stage.statusOf(bad, 'staging') === 'success');
  const after = await production(stage);
  if (after !== before)
    throw new Error(`Production changed although the commit failed:\n${before}\n${after}`);
  await stage.conclude(
    'red on the commit; production is untouched: settings, service and replicas are still there',
  );
  return bad;
}

/** Everything is taken back with `git revert`. */
export async function rollback(stage: Stage, merged: string, bad: string): Promise<void> {
  const { environment, story, objects, times } = stage;
  stage.begin('A revert', 'git revert of the bad commit and of the release, one push');
  const clone = join(environment.directory, 'clone');
  const git = async (...args: string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Operator', '-c', 'user.email=operator@example.test'];
    // The user's own settings (signing, hooks) have no business here.
    const env = {
      PATH: process.env.PATH,
      HOME: environment.directory,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
    };
    return (await run('git', [...identity, ...args], { cwd: environment.directory, env })).stdout.trim();
  };
  await git('clone', '-q', environment.repository.urlWithToken, clone);
  await git('-C', clone, 'revert', '--no-edit', bad);
  await git('-C', clone, 'revert', '--no-edit', '-m', '1', merged);
  const head = await git('-C', clone, 'rev-parse', 'HEAD');
  story.restart();
  await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main');
  story.event('git', `pushed ${head.slice(0, 7)}`);
  await stage.until('6.9.0 in both clusters', () =>
    clusterNames.every((cluster) =>
      imageOf(objects[cluster].get('Deployment', 'podinfo'))?.endsWith(':6.9.0'),
    ),
  );
  times.set('revert → both clusters back', stage.lastChange());
  await stage.until('green statuses', () => isGreen(stage, head));
  await stage.conclude(
    `both clusters are back at 6.9.0 after ${seconds(stage.lastChange())}, green on the commit`,
  );
}

/** What must not change when a commit fails, as text. */
async function production(stage: Stage): Promise<string> {
  const connection = stage.environment.clusters.production;
  const kinds = [deployments, '/api/v1/namespaces/podinfo/services', '/api/v1/namespaces/podinfo/configmaps'];
  const parts = kinds.map(async (path) => {
    const object = await kubeCall<{ metadata: { uid: string }; spec?: unknown; data?: unknown }>(
      connection,
      'GET',
      `${path}/podinfo`,
    );
    return JSON.stringify({ uid: object.metadata.uid, spec: object.spec, data: object.data });
  });
  return (await Promise.all(parts)).join('\n');
}
