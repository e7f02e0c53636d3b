import { packageStacks } from '../../infra/aws/package-stacks.ts';
import { readTemplate } from './cloudformation.ts';
import { EXAMPLE, type PackagedTemplates } from './packaged-stacks.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Packages {@link EXAMPLE}, in a directory of its own. */
export async function packageExample(): Promise<PackagedTemplates> {
  const directory = await temporaryDirectory();
  try {
    const { core, clusters } = await packageStacks(EXAMPLE, directory.path, () => {});
    const templates: PackagedTemplates = { core: await readTemplate(core.packaged), clusters: [] };
    for (const { name, packaged } of clusters) templates.clusters.push([name, await readTemplate(packaged)]);
    return templates;
  } finally {
    await directory.remove();
  }
}
