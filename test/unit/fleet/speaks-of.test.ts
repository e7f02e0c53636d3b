import { describe, expect, test } from 'vitest';
import { providerFor } from '../../../lib/fleet/fleet.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { speaksOf } from '../../../lib/fleet/speaks-of.ts';

const fleet = loadFleet(
  `
providers:
  - { name: hub, type: github }
  - { name: team-a, type: gitea, url: "https://Git.Example.com:3000/git", owners: [team-a] }
  - { name: team-b, type: gitea, url: "https://git.example.com:3000/git", owners: [Team-B, shared/b] }
  - { name: other-port, type: gitea, url: "https://git.example.com:4000" }
  - { name: stash, type: bitbucket-server, url: "https://stash.example.com", owners: [ops] }
`,
  { path: '/slipway.yaml' },
);

/** The providers whose webhooks may speak of a repository. */
function speakers(repository: string): string[] {
  return fleet.providers
    .filter((provider) => speaksOf(provider, repository, fleet.providers))
    .map(({ name }) => name);
}

describe('webhooks may speak of', () => {
  test.each([
    ['any repository at their host, where no owner is named', 'github.com/acme/fleet', ['hub']],
    ['repositories of their owners alone', 'git.example.com:3000/git/team-a/app', ['team-a']],
    ['repositories of owners in any case', 'git.example.com:3000/git/team-b/app', ['team-b']],
    ['repositories of groups within groups', 'git.example.com:3000/git/shared/b/app', ['team-b']],
    ['repositories by the port of SSH', 'git.example.com:2222/team-a/app', ['team-a', 'other-port']],
    ['their own port, although another has the host too', 'git.example.com:4000/team-a/app', ['other-port']],
    ['projects of Bitbucket Server over HTTP', 'stash.example.com/scm/ops/app', ['stash']],
    ['projects of Bitbucket Server over SSH', 'stash.example.com:7999/ops/app', ['stash']],
  ])('%s', (_what, repository, names) => {
    expect(speakers(repository)).toEqual(names);
  });

  test.each([
    ['another owner', 'git.example.com:3000/git/team-c/app'],
    ['an owner whose name begins like theirs', 'git.example.com:3000/git/team-abc/app'],
    ['an owner as the name of a repository', 'git.example.com:3000/git/team-c/team-a'],
    ['a group that only ends like theirs', 'git.example.com:3000/git/b/app'],
    ['a path beside that of their URL', 'git.example.com:3000/gitea/team-a/app'],
    ['a host that ends like theirs', 'evil-github.com/acme/fleet'],
    ['a host that begins like theirs', 'github.com.evil.example/acme/fleet'],
    ['a look-alike', 'gıthub.com/acme/fleet'],
    ['a path that only leads there by dots', 'git.example.com:3000/git/team-c/../team-a/app'],
    ['an owner spelt with percent signs', 'git.example.com:3000/git/team%2da/app'],
    ['another project of Bitbucket Server', 'stash.example.com/scm/dev/app'],
    ['nothing', ''],
  ])('not of %s', (_what, repository) => {
    expect(speakers(repository)).toEqual([]);
  });
});

test('the credential for a repository is that of the provider for its owner', () => {
  const nameFor = (url: string) => providerFor(fleet, url)?.name;
  expect(nameFor('https://git.example.com:3000/git/team-b/app.git')).toBe('team-b');
  expect(nameFor('https://git.example.com:3000/git/team-c/app.git')).toBeUndefined();
});
