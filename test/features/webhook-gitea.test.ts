import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useGitea } from '../support/cluster.ts';
import type { GiteaClient } from '../support/gitea-client.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { startWebhookServer, type WebhookServer } from '../support/webhook-server.ts';

const SECRET = 'the secret of the hook';

describe('webhooks of a real Gitea', () => {
  let gitea: GiteaClient;
  let server: WebhookServer;
  let repository: GiteaRepository;

  beforeAll(async () => {
    gitea = await useGitea();
    server = await startWebhookServer({
      providers: { tea: { type: 'gitea', secrets: async () => ['old', SECRET] } },
    });
    const name = `webhook-${crypto.randomUUID().slice(0, 8)}`;
    repository = await gitea.createRepository(name, { files: { 'a.yaml': 'a: 1' } });
  });
  afterAll(async () => {
    await repository.delete();
    await server.stop();
  });

  it('become push jobs that name the repository, the ref, the commit and its people', async () => {
    await repository.createWebhook(`${server.url}/webhooks/gitea`, SECRET, ['push', 'delete']);
    const author = { name: 'Ada Lovelace', email: 'ada@example.test' };
    const commit = await repository.commit({ 'a.yaml': 'a: 2' }, { message: 'Change a', author });
    const job = await server.waitFor((one) => one.commit === commit);
    expect(job).toMatchObject({
      type: 'push',
      provider: 'tea',
      project: `${repository.owner}/${repository.name}`,
      ref: 'refs/heads/main',
      origin: { commit, author: 'Ada Lovelace <ada@example.test>', pusher: repository.owner },
    });
    const path = `${repository.owner}/${repository.name}`.toLowerCase();
    expect(job.repositories).toContain(`${new URL(gitea.url).host}/${path}`);
  });

  it('name the pull request that was merged, in each style', async () => {
    for (const style of ['merge', 'squash'] as const) {
      const number = await repository.openPullRequest(style, { [`${style}.yaml`]: 'a: 3' }, `By ${style}`);
      const commit = await repository.merge(number, style);
      const job = await server.waitFor((one) => one.commit === commit && one.ref === 'refs/heads/main');
      expect(job.origin.pullRequest).toBe(String(number));
    }
  });

  it('tell of tags and of deleted branches', async () => {
    const head = await repository.head();
    const base = `/repos/${repository.owner}/${repository.name}`;
    await gitea.api('POST', `${base}/tags`, { tag_name: 'v1', message: 'annotated', target: head });
    expect((await server.waitFor(({ ref }) => ref === 'refs/tags/v1')).commit).toBe(head);
    await repository.commit({ 'b.yaml': 'b: 1' }, { branch: 'gone' });
    await gitea.api('DELETE', `${base}/branches/gone`);
    await server.waitFor(({ ref, commit }) => ref === 'refs/heads/gone' && commit === '');
  });

  it('are understood as forms, which Gitea signs otherwise', async () => {
    const other = await gitea.createRepository(`${repository.name}-form`, { files: { 'a.yaml': 'a: 1' } });
    await gitea.api('POST', `/repos/${other.owner}/${other.name}/hooks`, {
      type: 'gitea',
      active: true,
      events: ['push'],
      config: { url: `${server.url}/webhooks/gitea/tea`, content_type: 'form', secret: SECRET },
    });
    const commit = await other.commit({ 'a.yaml': 'a: 2' }, { message: 'More = + % & ünï' });
    expect((await server.waitFor((one) => one.commit === commit)).project).toBe(
      `${other.owner}/${other.name}`,
    );
    await other.delete();
  });

  it('are refused with another secret', async () => {
    const other = await gitea.createRepository(`${repository.name}-wrong`, { files: { 'a.yaml': 'a: 1' } });
    await other.createWebhook(`${server.url}/webhooks/gitea`, 'another secret');
    // Gitea calls its hooks in order: when this one was heard, the one before was through.
    await other.createWebhook(`${server.url}/webhooks/gitea/tea`, SECRET);
    const commit = await other.commit({ 'a.yaml': 'a: 2' });
    await server.waitFor((one) => one.commit === commit);
    expect(server.jobs.filter(({ job }) => job.commit === commit)).toHaveLength(1);
    await other.delete();
  });
});
