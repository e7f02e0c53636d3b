import type { ClaimsPolicy } from '../cel/claims-policy.ts';
import { RecentlyUsed } from '../core/recently-used.ts';
import type { HookWebhookOptions } from '../receive/hook-webhooks.ts';
import type { HookSecret } from '../receive/hooks/hook-type.ts';
import { createIdTokens, type IdTokens } from '../receive/id-token.ts';
import { RefusedPaths } from '../receive/refused-paths.ts';
import type { ReceiverEntry, ReceiverOidcProvider } from '../store/receivers.ts';
import type { Edge } from './context.ts';
import { placeOf } from './receiver-place.ts';
import { sendHook } from './send-hook.ts';

/** Discovery documents and key sets are small, and a caller waits for them. */
const MAX_DOCUMENT_BYTES = 256 * 1024;
const DOCUMENT_TIMEOUT_MS = 5_000;

/** Verifies tokens with keys that are read within the network policy. */
export function idTokensOf(ctx: Pick<Edge, 'http' | 'now'>): IdTokens {
  return createIdTokens(async (url) => {
    const { status, text } = await ctx.http.request({
      url,
      headers: { accept: 'application/json' },
      maxBytes: MAX_DOCUMENT_BYTES,
      timeoutMs: DOCUMENT_TIMEOUT_MS,
    });
    if (status !== 200) throw new Error(`the answer is ${status}`);
    return JSON.parse(text()) as unknown;
  }, ctx.now);
}

/** What the webhook edge needs to serve the Receivers of the index. */
export function receiverHooks(ctx: Edge, tokens: IdTokens): HookWebhookOptions {
  const policies = new RecentlyUsed<ClaimsPolicy>(500);
  async function policyOf(provider: ReceiverOidcProvider): Promise<ClaimsPolicy> {
    const key = JSON.stringify([provider.variables, provider.validations]);
    const known = policies.get(key);
    if (known) return known;
    // Few Receivers have expressions: what evaluates them is loaded with the first that does.
    const { compileClaimsPolicy } = await import('../cel/claims-policy.ts');
    const policy = compileClaimsPolicy(provider);
    policies.set(key, policy);
    return policy;
  }
  return {
    tokens,
    checkClaims: async (provider, claims) => (await policyOf(provider))(claims),
    async find(path) {
      const entries = await ctx.index.receivers.find(path);
      return entries.map((entry) => ({ ...entry, secret: () => openSecret(ctx, entry) }));
    },
    refused: new RefusedPaths({ now: ctx.now }),
    enqueue: (job) => sendHook(ctx, job),
  };
}

async function openSecret(
  ctx: Edge,
  { sealed, cluster, namespace, name }: ReceiverEntry,
): Promise<HookSecret> {
  return JSON.parse(await ctx.seal.open(sealed, placeOf(cluster, namespace, name))) as HookSecret;
}
