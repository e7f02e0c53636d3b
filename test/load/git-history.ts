import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import type { Gitea } from '../support/gitea.ts';
import type { Contents, Team } from './story.ts';

/** A team's repository in Gitea, with all of its commits; its branch points at one of them. */
export interface TeamRepository {
  team: Team;
  /** Clone URL. */
  url: string;
  /** Ids of the team's commits, in their order. */
  commits: string[];
  /** Makes the branch point at a commit, as a push does. Calls take effect in their order. */
  moveTo(commit: number): Promise<void>;
  /** The newest status of each context of a commit. */
  statuses(id: string): Promise<{ context: string; status: string; description: string }[]>;
}

/** Where the commits wait; nothing watches this ref. */
const WAITING = 'refs/load/commits';

/** Makes a repository with all commits of a team, of which the branch has the first. */
export async function createTeamRepository(gitea: Gitea, team: Team): Promise<TeamRepository> {
  const repository = await gitea.createRepository(team.name, {
    files: { 'README.md': `${team.name}\n` },
    private: false,
  });
  const directory = join(gitea.directory, 'repositories', repository.owner, `${team.name}.git`);
  const git = async (args: readonly string[], stdin?: string): Promise<string> => {
    const options = {
      cwd: directory,
      env: { HOME: '/nonexistent' },
      ...(stdin === undefined ? {} : { stdin }),
    };
    const { code, stdout, stderr } = await run('git', ['-c', 'safe.directory=*', ...args], options);
    if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return Buffer.from(stdout).toString('utf8').trim();
  };
  await git(['fast-import', '--quiet'], streamOf(team));
  const listed = await git(['rev-list', '--reverse', WAITING, '^refs/heads/main']);
  const commits = listed.split('\n');
  let moving = Promise.resolve();
  const moveTo = (commit: number): Promise<void> => {
    moving = moving.then(async () => {
      await git(['update-ref', 'refs/heads/main', commits[commit] ?? '']);
    });
    return moving;
  };
  await moveTo(0);
  return { team, url: repository.url, commits, moveTo, statuses: (id) => repository.statuses(id) };
}

/** All commits of a team as `git fast-import` reads them. https://git-scm.com/docs/git-fast-import */
function streamOf({ name, commits }: Team): string {
  const parts: string[] = [];
  let before: Contents = new Map();
  for (const [number, contents] of commits.entries()) {
    parts.push(`commit ${WAITING}`, `committer Ada <ada@example.test> ${1_700_000_000 + number} +0000`);
    parts.push(dataOf(`Commit ${number} of ${name}`));
    if (number === 0) parts.push('from refs/heads/main^0');
    for (const [object, commit] of contents) {
      if (before.get(object) === commit) continue;
      const text = yaml(configMap(object, name, { commit: String(commit) }));
      parts.push(`M 100644 inline app/${object}.yaml`, dataOf(text));
    }
    for (const object of before.keys()) if (!contents.has(object)) parts.push(`D app/${object}.yaml`);
    before = contents;
  }
  parts.push('done');
  return `feature done\n${parts.join('\n')}\n`;
}

function dataOf(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}
