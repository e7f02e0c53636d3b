import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import { HookJob } from '../../lib/core/job.ts';
import { placeOf } from '../../lib/pipeline/receiver-place.ts';
import { requestOf } from '../../lib/pipeline/send-hook.ts';
import { createSeal } from '../../lib/secrets/seal.ts';
import { type ReceiverEntry, Receivers } from '../../lib/store/receivers.ts';
import { type EdgeInstallation, startEdgeInstallation } from '../support/edge-installation.ts';
import { type EdgeWorker, startEdgeWorker } from '../support/edge-worker.ts';
import { serveIssuer } from '../support/oidc-issuer.ts';
import { receiverEntry } from '../support/receiver-entry.ts';
import { signedByGitHub } from '../support/signed-by-github.ts';

const TOKEN = 'token-of-the-receiver';
const KEY = 'a key of the installation that is long enough';
const MIB = 1024 * 1024;
const FLEET = `providers: [{name: hub, type: github, webhookSecrets: [env:HUB_SECRET]}]
storage: {key: env:SLIPWAY_KEY}
`;

let installation: EdgeInstallation;
let edge: EdgeWorker;
let variables: Record<string, string>;
let count = 0;

beforeAll(async () => {
  installation = await startEdgeInstallation(FLEET, ['push', 'cluster-prod']);
  variables = { ...installation.variables, HUB_SECRET: 'unused', SLIPWAY_KEY: KEY };
  edge = await startEdgeWorker(variables);
});
afterAll(() => Promise.all([edge?.stop(), installation?.stop()]));

/** Writes a Receiver into the index as its cluster's worker does. @returns its path */
async function receiver(changes: Partial<ReceiverEntry> = {}, path = newPath()): Promise<string> {
  const seal = await createSeal(KEY);
  const place = placeOf('prod', 'apps', 'hub');
  const sealed = await seal.seal(JSON.stringify({ token: TOKEN }), place);
  // Each of its own, as if each were the only one of its cluster.
  await installation.rows.delete('receivers-of-cluster#prod', 'Receiver/apps/hub');
  await new Receivers(installation.rows).put(path, receiverEntry({ sealed, ...changes }));
  return path;
}

function newPath(): string {
  count += 1;
  return `/hook/${count.toString(16).padStart(64, '0')}`;
}

function signed(delivery: string, body = '{"ref":"refs/heads/main"}'): RequestInit {
  return signedByGitHub(body, delivery, TOKEN);
}

async function takeJobs(): Promise<HookJob[]> {
  const messages = await installation.take('cluster-prod');
  return messages.map(({ body }) => HookJob.parse(JSON.parse(body)));
}

describe('Receivers in the runtime of Cloudflare Workers', () => {
  it('turn a verified call into a job for their cluster, once a delivery', async () => {
    const path = await receiver();
    const response = await fetch(`${edge.url}${path}`, signed('one'));
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    const again = await fetch(`${edge.url}${path}`, signed('one'));
    expect([again.status, await again.json()]).toEqual([202, { id }]);
    const jobs = await takeJobs();
    expect(jobs).toEqual([
      {
        type: 'hook',
        cluster: 'prod',
        namespace: 'apps',
        name: 'hub',
        receiver: 'github',
        origin: { id },
        receivedAt: expect.any(Number) as number,
      },
    ]);
    expect(await installation.take('push')).toEqual([]);
  });

  it('believe no other token, and no path that nobody listens at', async () => {
    const path = await receiver();
    const wrong = await fetch(`${edge.url}${path}`, { ...signed('two'), body: '{"ref":"other"}' });
    const unknown = await fetch(`${edge.url}${newPath()}`, signed('two'));
    const suspended = await fetch(`${edge.url}${await receiver({ state: 'suspended' })}`, signed('two'));
    const get = await fetch(`${edge.url}${path}`);
    expect([wrong, unknown, suspended, get].map(({ status }) => status)).toEqual([401, 404, 503, 405]);
    expect(await takeJobs()).toEqual([]);
  });

  it('put a large call that filters look at into the bucket, where its worker finds it', async () => {
    const path = await receiver({ wantsRequest: true });
    const request = { ref: 'refs/heads/main', text: 'x'.repeat(2 * MIB) };
    const response = await fetch(`${edge.url}${path}`, signed('three', JSON.stringify(request)));
    expect(response.status).toBe(202);
    const [job] = await takeJobs();
    expect(job?.request).toBeUndefined();
    expect(job?.requestBlob).toMatch(/^hooks\/prod\//);
    const blobs = s3Blobs({ aws: async () => installation.sqs.aws, bucket: 'bucket' });
    expect(job && (await requestOf({ blobs }, job))).toEqual({ value: request });
  });

  it('verify identities by the keys of their issuer and by expressions, within the network policy', async () => {
    const issuer = await serveIssuer();
    const validations = [{ expression: "claims.repository_owner == 'acme'", message: 'wrong owner' }];
    const oidcProviders = [{ issuerURL: issuer.url, audience: 'slipway', variables: [], validations }];
    const path = await receiver({ type: 'generic-oidc', oidcProviders });
    const call = async (url: string, owner: string) => {
      const authorization = `Bearer ${await issuer.sign({ aud: 'slipway', repository_owner: owner })}`;
      return fetch(`${url}${path}`, { method: 'POST', body: '{}', headers: { authorization } });
    };
    const open = await startEdgeWorker({
      ...variables,
      SLIPWAY_FLEET: `${FLEET}network: {allow: [127.0.0.1]}\n`,
    });
    try {
      const refused = await call(open.url, 'other');
      expect([refused.status, await refused.json()]).toEqual([
        401,
        { error: expect.stringContaining('wrong owner') as string },
      ]);
      expect((await call(open.url, 'acme')).status).toBe(202);
      expect(await takeJobs()).toHaveLength(1);
      expect((await call(edge.url, 'acme')).status).toBe(503);
      expect(await takeJobs()).toEqual([]);
    } finally {
      await Promise.all([open.stop(), issuer.stop()]);
    }
  });

  it('let nobody in without the key of the installation, and name it in the log alone', async () => {
    const path = await receiver();
    const { SLIPWAY_KEY: _, ...keyless } = variables;
    const bare = await startEdgeWorker(keyless);
    try {
      const response = await fetch(`${bare.url}${path}`, signed('four'));
      expect(response.status).toBe(503);
      expect(await response.text()).not.toContain('SLIPWAY_KEY');
      expect(await takeJobs()).toEqual([]);
    } finally {
      await bare.stop();
    }
  });

  it('take 3 MiB and not a byte more', async () => {
    const path = await receiver({ type: 'generic' });
    const status = async (size: number) =>
      (await fetch(`${edge.url}${path}`, { method: 'POST', body: 'x'.repeat(size) })).status;
    expect([await status(3 * MIB + 1), await status(3 * MIB)]).toEqual([413, 202]);
    expect(await takeJobs()).toHaveLength(1);
  });
});
