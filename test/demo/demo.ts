/** `npm run demo`: a merged pull request and a pushed image are deployed to two real API servers, on this machine. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { giteaLocation, kubernetesLocation, registryLocation } from '../../infra/testservers/location.ts';
import { missingForBuild, missingForRun } from '../../infra/testservers/preflight.ts';
import { badCommit, drift, firstDeployment, release, rollback } from './chapters.ts';
import { type Environment, seconds, startEnvironment } from './environment.ts';
import { clusterNames } from './fleet-files.ts';
import { newImage } from './image-chapter.ts';
import { readOptions, usage } from './options.ts';
import { shop } from './shop-files.ts';
import { type Stage, setStage } from './stage.ts';
import { tellStory } from './story.ts';

const root = join(import.meta.dirname, '..', '..');
let asked = false;
let finished = false;
const cleanups: (() => Promise<void> | void)[] = [];
let interrupt = () => {};
const interrupted = new Promise<'interrupted'>((resolve) => {
  interrupt = () => resolve('interrupted');
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const story = tellStory(options.json ? process.stderr : process.stdout);
  const began = performance.now();
  story.open(
    'Slipway',
    'A pull request is merged, or an image pushed; two real Kubernetes API servers follow, and the commit says so.',
  );

  story.chapter('Preflight');
  const absent = [kubernetesLocation(), giteaLocation(), registryLocation()].some(
    ({ binary }) => !existsSync(binary),
  );
  const missing = [
    ...(absent && !process.env.SLIPWAY_TESTSERVERS ? missingForBuild() : []),
    ...missingForRun(),
  ];
  if (missing.length > 0) {
    story.fail(`This machine lacks something:\n  ${[...new Set(missing)].join('\n  ')}`);
    return 1;
  }
  for (const part of ['engine', 'testservers']) {
    if ((await build(part)) !== 0) return 1;
  }

  story.chapter('Starting');
  const cleanup = (work: () => Promise<void> | void) => void cleanups.push(work);
  const environment = await startEnvironment(story, cleanup);
  const stage = await setStage(environment, story, cleanup);
  await firstDeployment(stage);
  const merged = await release(stage);
  await newImage(stage);
  await drift(stage);
  const bad = await badCommit(stage);
  await rollback(stage, merged, bad);

  story.chapter('Times');
  for (const [name, ms] of stage.times) story.fact(name.padEnd(36), seconds(ms));
  story.fact('the whole demo'.padEnd(36), seconds(performance.now() - began));
  if (options.json) process.stdout.write(`${JSON.stringify(rounded(stage.times))}\n`);
  if (options.keep) await keep(environment, stage);
  return 0;
}

function rounded(times: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...times].map(([name, ms]) => [name, Math.round(ms)]));
}

/** Builds one part if it is missing; its own output tells how that goes. */
function build(part: string): Promise<number> {
  const script = join(root, 'infra', part, 'build.ts');
  const child = spawn(process.execPath, [script], { cwd: root, stdio: ['ignore', 2, 2] });
  cleanups.push(() => void child.kill());
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Says where everything is and waits for Ctrl-C. */
async function keep(environment: Environment, stage: Stage): Promise<void> {
  const { story, slipway } = stage;
  const { gitea, repository, registry, directory } = environment;
  story.chapter('Everything keeps running until Ctrl-C');
  story.fact('repository', repository.page, `log in as ${gitea.admin.user} / ${gitea.admin.password}`);
  story.fact('registry', registry.url, `push ${registry.host}/${shop.image}:<version> to have it deployed`);
  story.fact('slipway', `${slipway.url}/runs`);
  for (const name of clusterNames) {
    const kubeconfig = join(directory, `${name}.kubeconfig`);
    story.fact(name, `kubectl --kubeconfig ${kubeconfig} get deployments,kustomizations -A`);
  }
  story.fact('fleet file', slipway.config);
  story.text('');
  story.text(`git clone ${repository.urlWithToken}`);
  // Without a reason to stay, Node would end here.
  const stay = setInterval(() => {}, 3_600_000);
  finished = true;
  await interrupted;
  clearInterval(stay);
}

async function cleanUp(): Promise<void> {
  while (cleanups.length > 0) {
    try {
      await cleanups.pop()?.();
    } catch (error) {
      process.stderr.write(`While cleaning up: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time, do not wait: the servers end with this process in any case.
    if (asked) process.exit(130);
    asked = true;
    interrupt();
  });
}

const story = main().catch((error: unknown) => {
  if (!asked) process.stderr.write(`\n✗ ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
const result = await Promise.race([story, interrupted]);
await cleanUp();
process.exit(result !== 'interrupted' ? result : finished ? 0 : 130);
