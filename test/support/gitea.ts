/**
 * A real Git provider for tests: Gitea on free ports of 127.0.0.1, with HTTP, webhooks, statuses, LFS and SSH.
 *
 *     const gitea = await startGitea();
 *     const fleet = await gitea.createRepository('fleet', { files: { 'README.md': 'hello' } });
 *     const sha = await fleet.commit({ 'a.yaml': '...', 'old.yaml': null }, { message: 'Change a, drop old' });
 *     await fleet.createWebhook('http://127.0.0.1:8080/webhooks/gitea', 'secret');
 *     const pull = await fleet.openPullRequest('change', { 'a.yaml': '...' }, 'Change a');
 *     const merged = await fleet.merge(pull);
 *     await fleet.statuses(merged); // [{ context, status, description, targetUrl, ... }], newest of each context
 *     await gitea.stop();
 *
 * Most tests want `useGitea()` of `cluster.ts` instead, which shares one server.
 * It never outlives the process that started it, even when that is killed.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { giteaLocation } from '../../infra/testservers/location.ts';
import { connectGitea, createToken, type GiteaClient } from './gitea-client.ts';
import { giteaSettings } from './gitea-settings.ts';
import { freePorts } from './ports.ts';
import { type Server, startServer, waitUntilReady } from './process.ts';

const run = promisify(execFile);

export interface Gitea extends GiteaClient {
  /** Folder of its logs and data; deleted by `stop`. */
  directory: string;
  /** The process that was started first. */
  server: Server;
  stop(): Promise<void>;
  /** Takes it off the network, as an outage does, and brings it back with all that it had. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Starts Gitea and waits until it answers (2 to 5 s). */
export async function startGitea(): Promise<Gitea> {
  const location = giteaLocation();
  if (!existsSync(location.binary)) {
    throw new Error(`No Gitea at ${location.binary}. Build it with: npm run build:testservers`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'slipway-gitea-'));
  let server: Server | undefined;

  async function stop(): Promise<void> {
    await server?.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    const [httpPort, sshPort] = (await freePorts(2)) as [number, number];
    const url = `http://127.0.0.1:${httpPort}`;
    const config = join(directory, 'app.ini');
    const home = join(directory, 'home');
    await mkdir(home);
    const hooks = await writeHooks(directory, location.binary, config);
    const staticRoot = location.directory;
    const settings = giteaSettings({ directory, httpPort, sshPort, staticRoot, hooks });
    await writeFile(config, settings, { mode: 0o600 });
    // Nothing of the user's own Git configuration may reach it.
    const env = { PATH: process.env.PATH, HOME: home, USER: userInfo().username, GITEA_WORK_DIR: directory };
    const launch = async () => {
      const launched = await startServer({
        name: 'gitea',
        command: location.binary,
        args: ['web', '--config', config],
        logFile: join(directory, 'gitea.log'),
        cwd: directory,
        env,
        scratch: directory,
      });
      server = launched;
      await waitUntilReady(launched, async () => (await fetch(`${url}/api/healthz`)).ok);
      return launched;
    };
    const first = await launch();

    const user = 'admin-user';
    const password = randomBytes(16).toString('hex');
    const create = ['admin', 'user', 'create', '--config', config, '--admin', '--must-change-password=false'];
    create.push('--username', user, '--password', password, '--email', 'admin@example.test');
    await run(location.binary, create, { env, cwd: directory });
    const admin = { user, password, token: await createToken(url, user, password) };
    const hostKey = (await readFile(join(directory, 'data', 'ssh', 'gitea.rsa.pub'), 'utf8')).trim();
    const client = connectGitea({
      url,
      sshHost: `127.0.0.1:${sshPort}`,
      knownHosts: `[127.0.0.1]:${sshPort} ${hostKey}\n`,
      admin,
    });
    return {
      ...client,
      directory,
      server: first,
      stop,
      goAway: async () => server?.stop('SIGTERM'),
      comeBack: async () => void (await launch()),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Of the four hooks that Gitea has in each repository only the one that tells it of a push, and so of webhooks: the others look after
 * protected branches and pushes for review. Each of them starts all of Gitea, which is half of the work of a small push.
 * @returns their folder
 */
async function writeHooks(directory: string, binary: string, config: string): Promise<string> {
  const hooks = join(directory, 'hooks');
  await mkdir(hooks);
  const script = `#!/bin/sh\nexec '${binary}' hook --config='${config}' post-receive\n`;
  await writeFile(join(hooks, 'post-receive'), script, { mode: 0o700 });
  return hooks;
}
