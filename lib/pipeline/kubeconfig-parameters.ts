import { LRUCache } from 'lru-cache';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import type { AccountToken, KubeClient } from '../kube/client.ts';
import type { TargetSeeker } from './target.ts';

/** A token holds for an hour and is used for half of one: a run that begins with it must not outlive it. */
const TOKEN_SECONDS = 3_600;
const REUSE_MS = (TOKEN_SECONDS * 1_000) / 2;

/** Tokens that were made for a cluster's accounts; connections are shared by equal kubeconfigs, so a token must stay the same for a while. */
const tokens = new WeakMap<KubeClient, LRUCache<string, AccountToken>>();

/**
 * The kubeconfig that the ConfigMap of `spec.kubeConfig.configMapRef` describes: the other cluster trusts the issuer of this one, and is
 * shown a fresh token of a service account in the namespace of the object. There is no controller in the cluster whose account could stand
 * in, so the account must be named; the providers of clouds would open a cluster by the worker's own identity for whoever asks, and are refused.
 * @throws ReconcileError naming the ConfigMap and what to do
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/#secret-less-authentication
 */
export async function kubeconfigOfParameters(
  run: TargetSeeker,
  namespace: string,
  name: string,
): Promise<string> {
  const wrong = (what: string) => {
    const message = `ConfigMap/${namespace}/${name}, which ${describe(run.ref)} spec.kubeConfig names, ${what}`;
    return new ReconcileError('ReconciliationFailed', message, { outcome: 'retry' });
  };
  const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name };
  const map = await run.client.get<KubernetesObject & { data?: Record<string, string> }>(ref);
  if (!map) throw wrong('does not exist; create it');
  const { provider, address, audiences, serviceAccountName, 'ca.crt': authority } = map.data ?? {};
  if (provider !== 'generic')
    throw wrong(
      provider === undefined
        ? 'has no provider; set it to generic'
        : `has the provider ${JSON.stringify(provider)}; only generic is supported: use it, or give a kubeconfig by secretRef`,
    );
  if (!address) throw wrong('has no address; set it to the URL of the API server');
  if (!serviceAccountName)
    throw wrong(
      'has no serviceAccountName; name the account of this namespace whose tokens the cluster trusts',
    );
  const listed = (audiences ?? '').split('\n').map((line) => line.trim());
  const wanted = listed.filter((line) => line !== '');
  const account = { namespace, name: serviceAccountName };
  const token = await tokenOf(run, account, wanted.length > 0 ? wanted : [address]);
  if (token === undefined)
    throw wrong(`names ServiceAccount/${namespace}/${account.name}, which does not exist`);
  const cluster = {
    server: address,
    ...(authority ? { 'certificate-authority-data': Buffer.from(authority).toString('base64') } : {}),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'target',
    clusters: [{ name: 'target', cluster }],
    users: [{ name: 'target', user: { token } }],
    contexts: [{ name: 'target', context: { cluster: 'target', user: 'target' } }],
  });
}

async function tokenOf(
  { client, ctx }: TargetSeeker,
  account: { namespace: string; name: string },
  audiences: readonly string[],
): Promise<string | undefined> {
  const kept = tokens.get(client) ?? new LRUCache<string, AccountToken>({ max: 1_000 });
  tokens.set(client, kept);
  const key = JSON.stringify([account.namespace, account.name, audiences]);
  const known = kept.get(key);
  if (known && known.expiresAt - ctx.now() > REUSE_MS) return known.token;
  const made = await client.createToken(account, audiences, TOKEN_SECONDS);
  if (made) kept.set(key, made);
  else kept.delete(key);
  return made?.token;
}
