import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, in the order in which they are started. */
const LONGEST = [
  'features/crash-reconcile',
  'features/image-update-races',
  'features/crash-revert',
  'simulation/part-1',
  'simulation/part-2',
  'simulation/part-3',
  'simulation/part-4',
  'features/deletion',
  'e2e/secrets',
  'features/pipeline-changes',
  'features/crash-image-update',
  'e2e/doubtful-renders',
  'e2e/merge-to-deploy',
  'e2e/kill',
  'features/brought-by-a-commit',
  'features/tenancy',
  'features/cli-operate',
];

/**
 * Begins with the longest files, so that no run ends with one worker busy for minutes and the others idle. The rest goes project by project, since a
 * process plays the files of one project only: from the last one of vitest.config.ts to the first, whose files are the shortest and fill the end best.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    const names = this.ctx.projects.map(({ name }) => name);
    const projectOf = ({ project }: TestSpecification) => names.indexOf(project.name);
    return rest.sort((a, b) => placeOf(a) - placeOf(b) || projectOf(b) - projectOf(a));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place === -1 ? LONGEST.length : place;
}
