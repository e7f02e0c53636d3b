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

/** The rest goes project by project, since a process plays the files of one project only; the shortest files, which fill the end best, are last. */
const PROJECTS = ['aws', 'e2e', 'features', 'contract', 'simulation', 'unit'];

/** Begins with the longest files, so that no run ends with one worker busy for minutes and the others idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    return rest.sort((a, b) => placeOf(a) - placeOf(b) || projectOf(a) - projectOf(b));
  }
}

function projectOf({ project }: TestSpecification): number {
  return PROJECTS.indexOf(project.name);
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place === -1 ? LONGEST.length : place;
}
