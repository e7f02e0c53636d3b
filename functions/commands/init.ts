import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import type { Command } from 'commander';
import { Option } from 'commander';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import type { TemplateProvider } from '../../lib/fleet/template.ts';
import { fleetTemplate, templateProviders } from '../../lib/fleet/template.ts';
import type { GlobalOptions } from './global-options.ts';

interface InitOptions extends GlobalOptions {
  provider: TemplateProvider;
  repository?: string;
  cluster?: string;
  branch?: string;
  path?: string;
}

/** `slipway init`. */
export function addInit(program: Command): void {
  program
    .command('init [file]')
    .description('write a commented fleet file to begin with; an existing one is never overwritten')
    .addOption(
      new Option('--provider <type>', 'where the repository is').choices(templateProviders).default('github'),
    )
    .option('--repository <url>', 'URL of the fleet repository')
    .option('--branch <branch>', 'its branch')
    .option('--cluster <name>', 'name of the first cluster')
    .option('--path <directory>', 'directory of that cluster in the repository')
    .action(async (given: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>();
      const file = given ?? options.config;
      const { provider, repository, branch, cluster } = options;
      const path = options.path ?? (cluster === undefined ? undefined : `./clusters/${cluster}`);
      const chosen = { provider, url: repository, branch, cluster, path };
      const text = fleetTemplate(
        Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
      );
      const fleet = loadFleet(text, { path: file });
      await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        throw new Error(`${file} exists; it was left as it is. Name another file, or move it away first`);
      });
      const name = fleet.clusters[0]?.name ?? '';
      process.stdout.write(nextSteps(file, provider, name));
    });
}

function nextSteps(file: string, provider: TemplateProvider, cluster: string): string {
  const variable = `${provider.toUpperCase()}_TOKEN=…`;
  return `wrote ${file}

Next:
  1. Look it through: the URL of your fleet repository, its branch, and the directory of the cluster.
  2. Put a kubeconfig for ${cluster} beside it as ${cluster}.kubeconfig, or remove the cluster from the file and run
       slipway cluster add <context of your kubeconfig> --repository <url>
     which makes a service account for Slipway in that cluster.
  3. export ${variable.padEnd(18)}a token for the repository
     export ${'WEBHOOK_SECRET=…'.padEnd(18)}any long random text; openssl rand -hex 32
  4. slipway validate          in a checkout of the fleet repository
     slipway cluster check     whether the clusters can be reached
  5. slipway serve             and add a webhook for pushes to the repository:
       URL <where Slipway is reached>/webhooks/${provider}, content type JSON, secret $WEBHOOK_SECRET
`;
}
