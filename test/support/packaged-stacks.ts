import { join } from 'node:path';
import type { Resource, Template } from './cloudformation.ts';
import { askShared } from './cluster.ts';

/** The fleet file that tests package. */
export const EXAMPLE = join(import.meta.dirname, '../../infra/aws/example.yaml');

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

/** The templates by name; what the processes of a run share of {@link PackagedStacks}. */
export interface PackagedTemplates {
  core: Template;
  clusters: [name: string, template: Template][];
}

/** Packages {@link EXAMPLE}, once in a run: that takes half a minute of a processor. */
export async function packagedStacks(): Promise<PackagedStacks> {
  const packaged = (await askShared('packaged-stacks')) as PackagedTemplates;
  const clusters = new Map(packaged.clusters);
  return {
    core: packaged.core,
    clusters: [...clusters.values()],
    clusterStack(name) {
      const template = clusters.get(name);
      if (!template) throw new Error(`no stack of ${name} was packaged`);
      return template;
    },
  };
}

/** The resources of a type, with their ids. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.resources).filter(([, { Type }]) => Type === type);
}
