import { seconds } from './environment.ts';
import { clusterNames } from './fleet-files.ts';
import { shop } from './shop-files.ts';
import { isGreen, type Stage } from './stage.ts';
import { imageOf } from './watch-objects.ts';

/** A new image is pushed: it is written into the repository, and that commit is deployed. */
export async function newImage(stage: Stage): Promise<void> {
  const { environment, story, objects, times } = stage;
  const image = `${shop.image}:${shop.newTag}`;
  stage.begin('A new image', `${image} is pushed to the registry. Times count from the start of the push.`);
  const before = await environment.repository.head();
  story.restart();
  await environment.registry.push(shop.image, shop.newTag);
  story.event('registry', `has ${image}`);
  await stage.until(`${image} in both clusters`, () =>
    clusterNames.every((cluster) =>
      imageOf(objects[cluster].get('Deployment', 'shop'))?.endsWith(`/${image}`),
    ),
  );
  times.set('image push → both clusters changed', stage.lastChange());
  // The commit is deployed without waiting for its webhook, which tells here which one it is.
  await stage.until('a commit of the image', () => stage.newest() !== before);
  const bump = stage.newest();
  await stage.until('green statuses', () => isGreen(stage, bump));
  times.set('image push → green on the commit', story.elapsed());
  await stage.quiet();
  await tellCommit(stage, before, bump);
  await stage.conclude(
    `committed, and deployed to both clusters in ${seconds(stage.lastChange())}, green on the commit`,
  );
}

/** What was committed, read from the Git provider. */
async function tellCommit({ environment, story }: Stage, before: string, bump: string): Promise<void> {
  const commits = await environment.repository.log();
  const [newest, parent] = commits;
  if (newest?.id !== bump || parent?.id !== before)
    throw new Error(
      `One commit was expected for the image, not:\n${JSON.stringify(commits.slice(0, 3), null, 2)}`,
    );
  story.aside('git', `${bump.slice(0, 7)} by ${newest.author}: ${newest.message.trim()}`);
  const patch = await environment.repository.patch(bump);
  for (const line of patch.split('\n').filter((one) => /^[-+](?!--|\+\+)/.test(one)))
    story.aside('', line.replace(/^([-+])\s+/, '$1 '));
}
