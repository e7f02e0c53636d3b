/** Builds the servers that tests and the demo run on, once: `npm run build:testservers`. */
import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { takeLock } from './build-lock.ts';
import { buildGoProgram, type GoProgram, runGo } from './go-program.ts';
import {
  giteaLocation,
  kubernetesLocation,
  registryLocation,
  sourceOf,
  type TestServerLocation,
} from './location.ts';
import { estimateSeconds, missingForBuild } from './preflight.ts';
import { type Progress, showProgress } from './progress.ts';

interface TestServer {
  name: string;
  location: TestServerLocation;
  /** Time of all processors together that a first build takes, in seconds. */
  cpuSeconds: number;
  /** Writes the program and all that belongs to it into a folder. */
  build(folder: string, logFile: string, progress: Progress): Promise<void>;
}

const servers: TestServer[] = [
  {
    name: 'kubernetes',
    location: kubernetesLocation(),
    cpuSeconds: 510,
    build: (folder, logFile, progress) => buildKubernetes(kubernetesLocation(), folder, logFile, progress),
  },
  {
    name: 'gitea',
    location: giteaLocation(),
    cpuSeconds: 315,
    build: (folder, logFile, progress) => buildGitea(giteaLocation(), folder, logFile, progress),
  },
  {
    name: 'registry',
    location: registryLocation(),
    cpuSeconds: 120,
    build: (folder, logFile, progress) => buildRegistry(registryLocation(), folder, logFile, progress),
  },
];

async function main(): Promise<void> {
  const absent = servers.filter((server) => !existsSync(server.location.binary));
  if (absent.length === 0) {
    say(`test servers: ready in ${dirname(servers[0]?.location.directory ?? '')}`);
    return;
  }
  if (process.env.SLIPWAY_TESTSERVERS) {
    const files = absent.map((server) => `  ${server.location.binary}`);
    throw new Error(`SLIPWAY_TESTSERVERS is set, but there is no\n${files.join('\n')}`);
  }
  const missing = missingForBuild();
  if (missing.length > 0) {
    throw new Error(`The test servers cannot be built on this machine:\n  ${missing.join('\n  ')}`);
  }
  const total = absent.reduce((sum, server) => sum + estimateSeconds(server.cpuSeconds), 0);
  say(
    `test servers: building ${absent.map(title).join(', ')}, once; this takes about ${Math.ceil(total / 60)} minutes`,
  );
  for (const server of absent) await buildOnce(server);
}

function title(server: TestServer): string {
  return `${server.name} ${server.location.version}`;
}

/** Two of these at the same time are safe: the second one waits, and finds the work done. */
async function buildOnce(server: TestServer): Promise<void> {
  const { directory, binary } = server.location;
  const parent = dirname(directory);
  mkdirSync(parent, { recursive: true });
  const progress = showProgress(title(server), estimateSeconds(server.cpuSeconds));
  const release = await takeLock(join(parent, `${server.name}.lock`), () =>
    progress.update('being built by another process, waiting for it'),
  );
  // Only the holder of the lock makes such folders: whatever is found is left over from a build that was killed.
  const prefix = `${basename(directory)}.partial-`;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const folder = join(parent, `${prefix}${process.pid}`);
  try {
    if (existsSync(binary)) {
      progress.done('found');
      return;
    }
    mkdirSync(folder);
    await server.build(folder, join(parent, `${server.name}.log`), progress);
    rmSync(directory, { recursive: true, force: true });
    renameSync(folder, directory);
    progress.done('built');
  } finally {
    progress.clear();
    rmSync(folder, { recursive: true, force: true });
    release();
  }
}

async function buildKubernetes(
  { binary, version }: TestServerLocation,
  folder: string,
  logFile: string,
  progress: Progress,
): Promise<void> {
  const [major, minor] = version.slice(1).split('.');
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  const program: GoProgram = {
    source: sourceOf('kubernetes'),
    output: join(folder, basename(binary)),
    tags: '',
    ldflags: `-s -w ${settings.join(' ')}`,
    env: { CGO_ENABLED: '0' },
    logFile,
  };
  await buildGoProgram(program, progress);
}

async function buildRegistry(
  { binary, version }: TestServerLocation,
  folder: string,
  logFile: string,
  progress: Progress,
): Promise<void> {
  const program: GoProgram = {
    source: sourceOf('registry'),
    output: join(folder, basename(binary)),
    tags: '',
    ldflags: `-s -w -X github.com/distribution/distribution/v3/version.version=${version}`,
    env: { CGO_ENABLED: '0' },
    logFile,
  };
  await buildGoProgram(program, progress);
}

async function buildGitea(
  { binary, version }: TestServerLocation,
  folder: string,
  logFile: string,
  progress: Progress,
): Promise<void> {
  progress.update('downloading');
  const log = createWriteStream(logFile, { flags: 'a' });
  const answer = await runGo(sourceOf('gitea'), ['mod', 'download', '-json', 'code.gitea.io/gitea'], {}, log);
  log.end();
  const module = (JSON.parse(answer) as { Dir: string }).Dir;
  const program: GoProgram = {
    source: module,
    output: join(folder, basename(binary)),
    tags: 'sqlite sqlite_unlock_notify',
    ldflags: `-s -w -X main.Version=${version.slice(1)}`,
    env: { CGO_ENABLED: '1' },
    logFile,
  };
  await buildGoProgram(program, progress);
  for (const name of ['options', 'templates', 'public']) {
    await cp(join(module, name), join(folder, name), { recursive: true });
  }
  makeWritable(folder);
}

/** Go's module folders are read-only, and so are copies of them; those could not be deleted. */
function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130));
}
try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
