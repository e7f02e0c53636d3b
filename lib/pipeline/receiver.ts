import { createHash } from 'node:crypto';
import { compileClaimsPolicy } from '../cel/claims-policy.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { HookSecret } from '../receive/hooks/hook-type.ts';
import type { SecretData } from '../source/source.ts';
import type { ReceiverOidcProvider } from '../store/receivers.ts';
import { audienceOf, type OidcProvider, type Receiver } from '../toolkit/receiver.ts';
import { mayNameTags } from './hook-tags.ts';
import { objectKey } from './object-key.ts';
import { succeeded } from './outcome.ts';
import { readSecret } from './read-secret.ts';
import { compileFilters } from './receiver-filters.ts';
import { placeOf } from './receiver-place.ts';
import { withoutTarget } from './receiver-targets.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';

/** Opens the path of a Receiver: reads its token, and tells the webhook edge what to verify calls with. */
export async function reconcileReceiver(run: Run, object: Receiver): Promise<Reconciled> {
  const { ctx, job, ref } = run;
  const { namespace = '', name, generation = 0 } = object.metadata;
  const key = objectKey(ref);
  const oidcProviders = (object.spec.oidcProviders ?? []).map(toEntry);
  try {
    compileFilters(object);
    for (const provider of oidcProviders) checkIssuer(run, provider);
  } catch (error) {
    await ctx.index.receivers.setState(job.cluster, key, 'not-ready', generation);
    throw error;
  }
  const { token, secret } = await readToken(run, object);
  const path = `/hook/${createHash('sha256').update(token).update(name).update(namespace).digest('hex')}`;
  if (secret.token !== '') run.secrets.push(secret.token);
  await ctx.index.receivers.put(path, {
    cluster: job.cluster,
    namespace,
    name,
    type: object.spec.type,
    generation,
    state: 'ready',
    events: object.spec.events ?? [],
    wantsRequest:
      object.spec.resourceFilter !== undefined ||
      object.spec.resources.some(({ filter }) => filter) ||
      mayNameTags(object),
    sealed: await ctx.seal.seal(JSON.stringify(secret), placeOf(job.cluster, namespace, name)),
    oidcProviders,
  });
  const idle = withoutTarget(object, run.cluster.config.noCrossNamespaceRefs);
  const notice = idle.length === 0 ? '' : `; without effect: ${idle.join(', ')}`;
  return {
    object,
    // Where the sender cannot sign, the path is all the secret there is: it stands in the status, as with Flux, and nowhere else.
    outcome: {
      ...succeeded('Succeeded', `Receiver initialized for path: ${path}${notice}`),
      told: `Receiver initialized${notice}`,
    },
    status: (status) => ({ ...status, webhookPath: path }),
  };
}

function toEntry(provider: OidcProvider): ReceiverOidcProvider {
  const { issuerURL, variables = [], validations } = provider;
  return { issuerURL, audience: audienceOf(provider), variables, validations };
}

/** @throws ReconcileError (stall) for expressions that are none, and for issuers whose keys could come from anybody */
function checkIssuer({ ctx, ref }: Run, provider: ReceiverOidcProvider): void {
  compileClaimsPolicy(provider);
  const { issuerURL } = provider;
  const url = URL.canParse(issuerURL) ? new URL(issuerURL) : undefined;
  if (url?.protocol === 'https:') return;
  if (url && ctx.fleet.network.allow.includes(url.hostname)) return;
  throw new ReconcileError(
    'ValidationFailed',
    `${describe(ref)}: spec.oidcProviders: the issuer ${issuerURL} must use https: what its keys verify could be signed by anybody between`,
    { outcome: 'stall' },
  );
}

/**
 * The token of a Receiver, in bytes, and what the edge needs of its Secret.
 * @throws ReconcileError `TokenNotFound` (retry); its path is closed until there is a token
 */
async function readToken(run: Run, object: Receiver): Promise<{ token: Uint8Array; secret: HookSecret }> {
  const { secretRef, type } = object.spec;
  if (!secretRef) return { token: new Uint8Array(), secret: { token: '' } };
  const { namespace = '' } = object.metadata;
  const usedBy = `${describe(run.ref)} spec.secretRef`;
  try {
    const data = await readSecret(run.client, namespace, secretRef.name, usedBy, 'TokenNotFound');
    const text = (field: string) =>
      textOf(data, field, `Secret/${namespace}/${secretRef.name}, which ${usedBy} names,`);
    const secret: HookSecret = { token: text('token') };
    if (type === 'gcr') Object.assign(secret, { email: text('email'), audience: text('audience') });
    return { token: data.token ?? new Uint8Array(), secret };
  } catch (error) {
    if (error instanceof ReconcileError && error.reason === 'TokenNotFound') {
      await run.ctx.index.receivers.remove(run.job.cluster, objectKey(run.ref));
      run.attempted = ({ webhookPath: _, ...status }) => status;
    }
    throw error;
  }
}

function textOf(data: SecretData, field: string, name: string): string {
  const bytes = data[field];
  const refuse = (why: string) =>
    new ReconcileError('TokenNotFound', `${name} ${why}; give it one`, { outcome: 'retry' });
  if (bytes === undefined || bytes.byteLength === 0) throw refuse(`has no value for the key ${field}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(`holds bytes that are no text under the key ${field}`);
  }
}
