import { createHmac } from 'node:crypto';

/** The request that a Gitea makes for a push to a branch, but for its URL. */
export function signedPush(
  repositoryUrl: string,
  commit: string,
  delivery: string,
  secret: string,
  branch = 'main',
): RequestInit {
  const { origin, pathname } = new URL(repositoryUrl);
  const project = pathname.slice(1).replace(/\.git$/, '');
  const person = { login: 'ada', full_name: '', email: 'ada@example.test' };
  const body = JSON.stringify({
    ref: `refs/heads/${branch}`,
    before: '0'.repeat(40),
    after: commit,
    commits: [],
    head_commit: null,
    repository: {
      full_name: project,
      clone_url: repositoryUrl,
      html_url: `${origin}/${project}`,
      ssh_url: '',
    },
    pusher: person,
    sender: person,
  });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-gitea-event': 'push',
    'x-gitea-delivery': delivery,
    'x-gitea-signature': signature,
  };
  return { method: 'POST', headers, body };
}
