import { join } from 'node:path';
import { packageStacks, ROOT } from '../../infra/aws/package-stacks.ts';
import { type Resource, readTemplate, type Template } from './cloudformation.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The fleet file that tests package. */
export const EXAMPLE = join(ROOT, 'infra/aws/example.yaml');

/** Region and account, as they stand in ARNs of {@link EXAMPLE}. */
export const ACCOUNT = 'eu-west-1:123456789012';
export const TABLE = `arn:aws:dynamodb:${ACCOUNT}:table/slipway-prod`;
export const BUCKET = 'arn:aws:s3:::slipway-prod-123456789012-eu-west-1';

/** The ARN of a queue of {@link EXAMPLE}. */
export function queue(name: string): string {
  return `arn:aws:sqs:${ACCOUNT}:slipway-prod-${name}`;
}

/** The templates of {@link EXAMPLE}, as they would be deployed. */
export interface PackagedStacks {
  core: Template;
  /** In the order of the fleet file. */
  clusters: Template[];
  /** The stack of a cluster. Throws when there is none. */
  clusterStack(name: string): Template;
}

/** Packages {@link EXAMPLE}, in a directory of its own. */
export async function packagedStacks(): Promise<PackagedStacks> {
  const directory = await temporaryDirectory();
  try {
    const packaged = await packageStacks(EXAMPLE, directory.path, () => {});
    const core = await readTemplate(packaged.core.packaged);
    const clusters = new Map<string, Template>();
    for (const { name, packaged: place } of packaged.clusters) clusters.set(name, await readTemplate(place));
    return {
      core,
      clusters: [...clusters.values()],
      clusterStack(name) {
        const template = clusters.get(name);
        if (!template) throw new Error(`no stack of ${name} was packaged`);
        return template;
      },
    };
  } finally {
    await directory.remove();
  }
}

/** The resources of a type, with their ids. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.resources).filter(([, { Type }]) => Type === type);
}
