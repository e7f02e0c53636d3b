import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalImage } from '../../lib/core/image-reference.ts';
import { PayloadError } from '../../lib/receive/payload-error.ts';
import type { Delivery } from '../../lib/receive/receiver.ts';
import type { Proof, RegistryReceived, RegistryType } from '../../lib/receive/registries/registry-type.ts';
import { withComparisons } from '../support/constant-time.ts';
import { pathsOf, replaced } from '../support/json-paths.ts';
import { noTokens } from '../support/oidc-issuer.ts';

/** What the suite must know of a container registry. */
export interface RegistryFixture {
  type: RegistryType;
  /** Host of its images. */
  host: string;
  /** All headers of a delivery of this body, signed with the secret. */
  headers(body: string, secret: string): Promise<Record<string, string>> | Record<string, string>;
  /** The header that proves who sent it; undefined where the secret stands in the path. */
  proofHeader?: string;
  /** Whether the proof is over the body, or says nothing of it. */
  signsBody?: boolean;
  /** Whether the proof is made of the secret. */
  usesSecret?: boolean;
  proof?: Partial<Proof>;
  /** A push of one tag. */
  payload: Record<string, unknown>;
  images: string[];
  tag: string;
  /** The id of the delivery; undefined where the registry has none. */
  deliveryId?: string;
  /** Payloads that change nothing, with what is read of them. */
  others: { name: string; payload: Record<string, unknown>; kind: RegistryReceived['kind'] }[];
  /** Verified rubbish. */
  malformed: { name: string; payload: unknown }[];
}

const SECRET = 'the-secret-of-a-registry';

/** What every type of container registries must do. */
export function registryContract(name: string, fixture: RegistryFixture): void {
  const { type, host } = fixture;
  const text = JSON.stringify(fixture.payload);

  async function deliver(
    body = text,
    edit: (all: Record<string, string>) => Record<string, string> = (all) => all,
  ) {
    const headers = edit(await fixture.headers(body, SECRET));
    return { headers: new Headers(headers), body: new TextEncoder().encode(body) };
  }

  async function verify(
    delivery: Delivery,
    secrets: readonly string[] = [SECRET],
  ): Promise<boolean | undefined> {
    return type.verify?.(delivery, { secrets, identity: undefined, tokens: noTokens, ...fixture.proof });
  }

  async function parse(payload: unknown, at = host): Promise<RegistryReceived> {
    return type.parse((await deliver()).headers, payload, at);
  }

  describe(`registry ${name}`, () => {
    it('reads which tag of which image was pushed', async () => {
      const { images, tag } = fixture;
      expect(await parse(fixture.payload)).toEqual({ kind: 'push', pushes: [{ images, tag }] });
      expect(type.deliveryId((await deliver()).headers, fixture.payload)).toBe(fixture.deliveryId);
    });

    it('believes nothing that is said of digests', async () => {
      const other = JSON.parse(text.replaceAll('a'.repeat(64), 'f'.repeat(64))) as unknown;
      expect(await parse(other)).toEqual(await parse(fixture.payload));
      expect(JSON.stringify(await parse(fixture.payload))).not.toMatch(/sha256|https?:/);
    });

    it('speaks of no image at another host', async () => {
      const read = await parse(fixture.payload, 'other.example.com');
      if (read.kind === 'push')
        for (const image of read.pushes.flatMap(({ images }) => images))
          expect(image).toMatch(/^other\.example\.com\//);
      else expect(read.kind).toBe('forbidden');
    });

    it.each(fixture.others)('reads $name as $kind', async ({ payload, kind }) => {
      expect((await parse(payload)).kind).toBe(kind);
    });

    it.each(fixture.malformed)(
      'refuses $name with a clear error that repeats nothing of it',
      async ({ payload }) => {
        const error = await parse(payload).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(PayloadError);
        expect(String(error)).not.toMatch(/acme|evil/i);
      },
    );

    it('refuses images and tags that are none, taking none of them for another', async () => {
      for (const evil of ['../evil', 'evil%2e', 'ev*l', 'EVIL*', 'evil app', '\u0435vil', 'evil\n'])
        for (const [from, to] of [
          ['acme/app', `acme/${evil}`],
          ['1.2.3', evil],
        ] as const) {
          const changed = JSON.parse(text.replaceAll(from, JSON.stringify(to).slice(1, -1))) as unknown;
          try {
            const read = await parse(changed);
            if (read.kind === 'push')
              for (const { images, tag } of read.pushes) {
                expect(images.every((image) => canonicalImage(image) === image)).toBe(true);
                expect(tag).toMatch(/^\w[\w.-]*$/);
              }
          } catch (error) {
            expect(error).toBeInstanceOf(PayloadError);
          }
        }
    });

    if (fixture.proofHeader !== undefined) {
      const { proofHeader } = fixture;

      it('accepts a delivery with its proof', async () => {
        expect(await verify(await deliver())).toBe(true);
      });

      it('refuses one without proof, with an empty one, one cut short and one sent twice', async () => {
        expect(await verify(await deliver(text, ({ [proofHeader]: _, ...rest }) => rest))).toBe(false);
        const edits = [
          () => '',
          (value: string) => value.slice(0, -1),
          (value: string) => `${value}0`,
          (value: string) => `${value}, ${value}`,
        ];
        for (const edit of edits) {
          const changed = await deliver(text, (all) => ({
            ...all,
            [proofHeader]: edit(all[proofHeader] ?? ''),
          }));
          expect(await verify(changed)).toBe(false);
        }
      });

      it('never throws on a rubbish proof', async () => {
        await fc.assert(
          fc.asyncProperty(fc.string({ unit: 'grapheme-ascii' }), async (value) => {
            const delivery = await deliver(text, (all) => ({ ...all, [proofHeader]: value.trim() }));
            expect(await verify(delivery)).toBe(false);
          }),
        );
      });
    }

    if (fixture.usesSecret)
      it('leaves the verdict to a comparison that takes the same time for any proof', async () => {
        const delivery = await deliver();
        expect(await withComparisons(false, () => verify(delivery))).toBe(false);
        expect(await withComparisons(true, () => verify(delivery, ['another']))).toBe(true);
      });

    if (fixture.usesSecret)
      it('accepts either of two secrets, and no other or empty one', async () => {
        const delivery = await deliver();
        expect(await verify(delivery, ['new', SECRET])).toBe(true);
        expect(await verify(delivery, [SECRET, 'new'])).toBe(true);
        for (const secrets of [['another'], [`${SECRET} `], [], ['']])
          expect(await verify(delivery, secrets)).toBe(false);
      });

    if (fixture.signsBody)
      it('refuses a body in which one byte was changed', async () => {
        const { headers, body } = await deliver();
        const changed = new Uint8Array(body);
        changed[3] = (changed[3] ?? 0) ^ 1;
        expect(await verify({ headers, body: changed })).toBe(false);
      });

    it('answers any change to a payload with pushes that are well-formed, or with a PayloadError', async () => {
      const { headers } = await deliver();
      const junk = fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', 'constructor', 'sha256:x'));
      fc.assert(
        fc.property(fc.constantFrom(...pathsOf(fixture.payload)), junk, (path, value) => {
          const payload = replaced(fixture.payload, path, value);
          try {
            const read = type.parse(headers, payload, host);
            type.deliveryId(headers, payload);
            if (read.kind !== 'push') return;
            for (const { images, tag } of read.pushes) {
              expect(images.length).toBeGreaterThan(0);
              expect(images.every((image) => canonicalImage(image) === image)).toBe(true);
              expect(tag).toMatch(/^\w[\w.-]{0,127}$/);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(PayloadError);
          }
        }),
        { numRuns: 500 },
      );
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });
  });
}
