import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../lib/receive/decode.ts';
import { PayloadError } from '../../lib/receive/payload-error.ts';
import type { Delivery, Push, Received, ReceiverType } from '../../lib/receive/receiver.ts';
import { withComparisons } from '../support/constant-time.ts';
import { pathsOf, replaced } from '../support/json-paths.ts';

/** A delivery that the provider would make, and what must be read from it. */
export interface ReceiverExample {
  name: string;
  event: string;
  payload: unknown;
  expected: Received;
}

/** What the suite must know of a provider. */
export interface ReceiverFixture {
  receiver: ReceiverType;
  /** All headers of a delivery of this body, signed with the secret. */
  headers(event: string, deliveryId: string, body: string, secret: string): Record<string, string>;
  /** The header that proves who sent it. */
  signatureHeader: string;
  /** False where the provider sends a bare token, which says nothing of the body. */
  signsBody: boolean;
  /** A push of one branch first. */
  examples: [ReceiverExample, ...ReceiverExample[]];
  /** Signed rubbish: an event and a payload that is not as documented. */
  malformed: { name: string; event: string; payload: unknown }[];
}

const SECRET = 'the secret of a webhook, with ünïcödé';

/** What every receiver type must do. */
export function receiverContract(name: string, fixture: ReceiverFixture): void {
  const { receiver } = fixture;
  const [push] = fixture.examples;
  const text = JSON.stringify(push.payload);

  function deliver(
    body: string = text,
    change: (headers: Record<string, string>) => Record<string, string> = (headers) => headers,
    secret = SECRET,
  ): Delivery {
    const headers = change(fixture.headers(push.event, 'delivery-1', body, secret));
    return { headers: new Headers(headers), body: new TextEncoder().encode(body) };
  }

  function withSignature(edit: (value: string) => string): Delivery {
    return deliver(text, (headers) => ({
      ...headers,
      [fixture.signatureHeader]: edit(headers[fixture.signatureHeader] ?? ''),
    }));
  }

  describe(`receiver ${name}`, () => {
    it('accepts a delivery signed with the secret', async () => {
      expect(await receiver.verify(deliver(), [SECRET])).toBe(true);
    });

    it('tells from the headers alone that nothing proves the sender', async () => {
      expect(receiver.proof(deliver().headers)).toBeTruthy();
      const without = deliver(text, ({ [fixture.signatureHeader]: _, ...headers }) => headers);
      expect(receiver.proof(without.headers) || '').toBe('');
      expect(await receiver.verify(without, [SECRET])).toBe(false);
    });

    it('accepts either of two secrets while they are being rotated', async () => {
      expect(await receiver.verify(deliver(), ['new one', SECRET])).toBe(true);
      expect(await receiver.verify(deliver(), [SECRET, 'new one'])).toBe(true);
    });

    it('leaves the verdict to a comparison that takes the same time for any signature', async () => {
      expect(await withComparisons(false, () => receiver.verify(deliver(), [SECRET]))).toBe(false);
      expect(await withComparisons(true, () => receiver.verify(deliver(), ['another']))).toBe(true);
    });

    it('refuses another secret, no secret and an empty secret', async () => {
      expect(await receiver.verify(deliver(), ['another'])).toBe(false);
      expect(await receiver.verify(deliver(), [`${SECRET} `])).toBe(false);
      expect(await receiver.verify(deliver(), [])).toBe(false);
      expect(await receiver.verify(deliver(), [''])).toBe(false);
    });

    it('refuses a delivery without signature, with an empty one and with one cut short', async () => {
      const without = deliver(text, ({ [fixture.signatureHeader]: _, ...rest }) => rest);
      expect(await receiver.verify(without, [SECRET])).toBe(false);
      expect(await receiver.verify(without, [])).toBe(false);
      for (const edit of [() => '', (value: string) => value.slice(0, -1), (value: string) => `${value}0`])
        expect(await receiver.verify(withSignature(edit), [SECRET])).toBe(false);
    });

    it('refuses a signature sent twice', async () => {
      expect(
        await receiver.verify(
          withSignature((value) => `${value}, ${value}`),
          [SECRET],
        ),
      ).toBe(false);
    });

    it('never throws on a rubbish signature', async () => {
      const rubbish = fc.oneof(
        fc.string({ unit: 'grapheme-ascii' }).map((value) => value.trim()),
        fc.stringMatching(/^(sha1|sha256|sha512)=[0-9a-zA-Z]{0,70}$/),
      );
      await fc.assert(
        fc.asyncProperty(rubbish, async (value) => {
          expect(
            await receiver.verify(
              withSignature(() => value),
              [SECRET],
            ),
          ).toBe(false);
        }),
      );
    });

    it('survives bytes that are no text', async () => {
      const delivery = deliver();
      const body = new Uint8Array([0xff, 0xfe, 0x00, 0xc3, 0x28]);
      expect(await receiver.verify({ ...delivery, body }, [SECRET])).toBe(!fixture.signsBody);
      expect(await receiver.verify({ ...delivery, body: new Uint8Array() }, [SECRET])).toBe(
        !fixture.signsBody,
      );
    });

    if (fixture.signsBody) {
      it('refuses a body in which one byte was changed', async () => {
        const { headers, body } = deliver();
        const changed = new Uint8Array(body);
        changed[10] = (changed[10] ?? 0) ^ 1;
        expect(await receiver.verify({ headers, body: changed }, [SECRET])).toBe(false);
      });

      it('looks at the raw bytes, not at what they mean', async () => {
        const spaced = `${JSON.stringify(push.payload, undefined, 2).replaceAll('\n', '\r\n')}\r\n`;
        expect(await receiver.verify(deliver(spaced), [SECRET])).toBe(true);
        const { headers } = deliver(spaced);
        expect(await receiver.verify({ headers, body: deliver().body }, [SECRET])).toBe(false);
      });

      it('accepts a body that begins with a byte order mark, and reads it', async () => {
        const delivery = deliver(`\ufeff${text}`);
        expect(await receiver.verify(delivery, [SECRET])).toBe(true);
        expect(decodePayload(delivery.body, 'application/json')).toEqual(push.payload);
      });

      it('takes the signature in upper case as the same', async () => {
        const upper = withSignature((value) => value.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()));
        expect(await receiver.verify(upper, [SECRET])).toBe(true);
      });
    }

    it('names the event and the delivery', () => {
      const { headers } = deliver();
      expect(receiver.event(headers)).toBe(push.event);
      expect(receiver.deliveryId(headers)).toBe('delivery-1');
      expect(receiver.event(new Headers())).toBe('');
      expect(receiver.deliveryId(new Headers())).toBeUndefined();
    });

    it.each(fixture.examples)('reads $name', ({ event, payload, expected }) => {
      expect(receiver.parse(event, payload)).toEqual(expected);
    });

    it('ignores events that it does not know', () => {
      for (const event of ['', 'fork', '__proto__', 'constructor', 'toString'])
        expect(receiver.parse(event, { object_kind: event }).kind).toBe('ignored');
    });

    it.each(fixture.malformed)('refuses $name with a clear error', ({ event, payload }) => {
      expect(() => receiver.parse(event, payload)).toThrow(PayloadError);
    });

    it('answers any change to a push with pushes that are well-formed, or with a PayloadError', () => {
      const junk = fc.oneof(
        fc.constant(null),
        fc.string(),
        fc.integer(),
        fc.constant([]),
        fc.constant({}),
        fc.boolean(),
      );
      fc.assert(
        fc.property(fc.constantFrom(...pathsOf(push.payload)), junk, (path, value) => {
          const received = parseOrUndefined(receiver, push.event, replaced(push.payload, path, value));
          if (received?.kind !== 'push') return;
          for (const one of received.pushes) expectWellFormed(one);
        }),
        { numRuns: 500 },
      );
    });

    it('repeats nothing of the payload in its errors', () => {
      for (const { event, payload } of fixture.malformed) {
        const error = thrownBy(() => receiver.parse(event, payload));
        expect(error).not.toMatch(/acme|boom|evil|Ada/);
      }
    });
  });
}

function expectWellFormed(push: Push): void {
  expect(push.repositories.length).toBeGreaterThan(0);
  expect(push.ref).toMatch(/^refs\/(heads|tags)\/./);
  expect(push.commit).toMatch(/^([0-9a-f]{40}|[0-9a-f]{64}|)$/);
  expect(push.commit === '').toBe(push.deleted);
  expect(push.project).not.toBe('');
  for (const value of Object.values(push)) expect(value).toBeDefined();
}

function parseOrUndefined(receiver: ReceiverType, event: string, payload: unknown): Received | undefined {
  try {
    return receiver.parse(event, payload);
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return undefined;
  }
}

function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return '';
}
