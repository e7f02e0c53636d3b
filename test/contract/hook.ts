import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileClaimsPolicy } from '../../lib/cel/claims-policy.ts';
import type { HookProof, HookSecret, HookType, HookVerdict } from '../../lib/receive/hooks/hook-type.ts';
import { PayloadError } from '../../lib/receive/payload-error.ts';
import type { Delivery } from '../../lib/receive/receiver.ts';
import { withComparisons } from '../support/constant-time.ts';
import { noTokens } from '../support/oidc-issuer.ts';

/** What the suite must know of a type of Receivers. */
export interface HookFixture {
  type: HookType;
  secret: HookSecret;
  /** All headers of a call with this body, signed with the secret. */
  headers(body: string, secret: HookSecret): Promise<Record<string, string>> | Record<string, string>;
  /** The header that proves who sent it; undefined where only the path does. */
  proofHeader?: string;
  /** Whether the proof is over the body, or says nothing of it. */
  signsBody?: boolean;
  /** The sender signs with SHA-1 and nothing else. */
  onlySha1?: boolean;
  /** Whether the proof is made of the token, so that another token makes another. */
  usesToken?: boolean;
  payload: Record<string, unknown>;
  /** What filters see of it; the payload itself when absent. */
  request?: unknown;
  /** The names of the event; undefined where the type has none. */
  events?: string[];
  /** The id of the delivery; undefined where the sender has none. */
  deliveryId?: string;
  /** Whether a body that is no JSON object is none of the sender's. */
  needsObject?: boolean;
  proof?: Partial<HookProof>;
}

/** What every type of Receivers must do. */
export function hookContract(name: string, fixture: HookFixture): void {
  const { type, secret } = fixture;
  const text = JSON.stringify(fixture.payload);

  async function call(
    body = text,
    edit: (headers: Record<string, string>) => Record<string, string> = (all) => all,
  ) {
    const headers = edit(await fixture.headers(body, secret));
    return { headers: new Headers(headers), body: new TextEncoder().encode(body) };
  }

  function verify(delivery: Delivery, token = secret.token): Promise<HookVerdict> {
    return type.verify(delivery, {
      secret: { ...secret, token },
      oidcProviders: [],
      tokens: noTokens,
      checkClaims: async (provider, claims) => compileClaimsPolicy(provider)(claims),
      ...fixture.proof,
    });
  }

  describe(`Receiver ${name}`, () => {
    it('accepts a valid call and reads it', async () => {
      const delivery = await call();
      expect(await verify(delivery)).toMatchObject({ ok: true });
      expect(type.read(delivery)).toEqual(fixture.request ?? fixture.payload);
    });

    it('names the event and the delivery', async () => {
      const delivery = await call();
      const payload = type.read(delivery);
      expect(type.events?.(delivery.headers, payload)).toEqual(fixture.events);
      expect(type.deliveryId(delivery, payload)).toBe(fixture.deliveryId);
      expect(type.isPing?.(delivery.headers) ?? false).toBe(false);
    });

    if (fixture.proofHeader !== undefined) {
      const { proofHeader } = fixture;

      it('refuses a call without proof, with an empty one, one cut short and one sent twice', async () => {
        const without = await call(text, ({ [proofHeader]: _, ...rest }) => rest);
        expect(await verify(without)).toMatchObject({ ok: false });
        const edits = [
          () => '',
          (value: string) => value.slice(0, -1),
          (value: string) => `${value}0`,
          (value: string) => `${value}, ${value}`,
        ];
        for (const edit of edits) {
          const changed = await call(text, (all) => ({
            ...all,
            [proofHeader]: edit(all[proofHeader] ?? ''),
          }));
          expect(await verify(changed)).toMatchObject({ ok: false });
        }
      });

      it('never throws on a rubbish proof, and tells nothing of the secret', async () => {
        const rubbish = fc.oneof(
          fc.string({ unit: 'grapheme-ascii' }).map((value) => value.trim()),
          fc.stringMatching(/^(sha1|sha256|sha512|Bearer )=?[0-9a-zA-Z.]{0,140}$/),
          fc.stringMatching(/^Bearer [A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,20}$/),
        );
        await fc.assert(
          fc.asyncProperty(rubbish, async (value) => {
            const verdict = await verify(await call(text, (all) => ({ ...all, [proofHeader]: value })));
            expect(verdict.ok).toBe(false);
            expect(JSON.stringify(verdict)).not.toContain(secret.token);
          }),
        );
      });
    }

    if (fixture.usesToken) {
      it('leaves the verdict to a comparison that takes the same time for any proof', async () => {
        const delivery = await call();
        expect(await withComparisons(false, () => verify(delivery))).toMatchObject({ ok: false });
        expect(await withComparisons(true, () => verify(delivery, 'another'))).toMatchObject({ ok: true });
      });

      it('refuses another token, and an empty one', async () => {
        const delivery = await call();
        for (const token of ['another', `${secret.token} `, ''])
          expect(await verify(delivery, token)).toMatchObject({ ok: false });
      });
    }

    if (fixture.signsBody) {
      it('refuses a body in which one byte was changed, and looks at the raw bytes', async () => {
        const { headers, body } = await call();
        const changed = new Uint8Array(body);
        changed[3] = (changed[3] ?? 0) ^ 1;
        expect(await verify({ headers, body: changed })).toMatchObject({ ok: false });
        const spaced = `${JSON.stringify(fixture.payload, undefined, 2).replaceAll('\n', '\r\n')}\r\n`;
        expect(await verify(await call(spaced))).toMatchObject({ ok: true });
        expect(await verify({ headers, body: (await call(spaced)).body })).toMatchObject({ ok: false });
      });

      if (!fixture.onlySha1)
        it('refuses SHA-1', async () => {
          const { headers, body } = await call();
          if (fixture.proofHeader) headers.delete(fixture.proofHeader);
          const hmac = createHmac('sha1', secret.token).update(body).digest('hex');
          for (const header of ['x-signature', 'x-hub-signature', 'x-hub-signature-256', 'x-gitea-signature'])
            headers.set(header, `sha1=${hmac}`);
          expect(await verify({ headers, body })).toMatchObject({ ok: false });
        });
    }

    it('reads any body, or says that it cannot', async () => {
      const bodies = fc.oneof(
        fc.json(),
        fc.string(),
        fc.constantFrom('null', '[]', '1', '', '{"__proto__":{}}'),
      );
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const delivery = await call(body);
          try {
            const read = type.read(delivery);
            expect(read === null ? 'null' : typeof read).toMatch(/^(object|string|number|boolean|null)$/);
            type.events?.(delivery.headers, read);
            type.deliveryId(delivery, read);
          } catch (error) {
            expect(error).toBeInstanceOf(PayloadError);
          }
          expect(({} as Record<string, unknown>).polluted).toBeUndefined();
        }),
      );
    });

    if (fixture.needsObject !== false) {
      it('refuses a body that is no JSON object, of another type, or no text', async () => {
        for (const body of ['', 'x', '1', 'null', '[]', '{"a":1,"a":2}', '{"__proto__":{"polluted":true}}']) {
          const delivery = await call(body);
          expect(() => type.read(delivery), body).toThrow(PayloadError);
        }
        const { headers } = await call();
        expect(() => type.read({ headers, body: new Uint8Array([0x7b, 0xff, 0x7d]) })).toThrow(PayloadError);
      });
    }
  });
}
