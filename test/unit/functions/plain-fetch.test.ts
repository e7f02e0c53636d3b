import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as plain from '../../../infra/aws/plain-fetch.ts';

/** What became of it: the value, or the kind of its error. */
function outcome(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

const name = fc.oneof(
  fc.constantFrom('set-cookie', 'Set-Cookie', 'x-a', 'X-A', 'content-type', '', 'bad name', 'ä', 'a:b', '\n'),
  fc.string({ maxLength: 3 }),
);
const value = fc.oneof(
  fc.constantFrom('', ' a ', 'a\r\nb: c', '\r\na\t', 'ü', '€', '\0', '\u007f', 'a, b'),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const step = fc.oneof(
  fc.record({ what: fc.constantFrom('append' as const, 'set' as const), name, value }),
  fc.record({ what: fc.constantFrom('delete' as const, 'get' as const, 'has' as const), name }),
);
type Step = { what: 'append' | 'set' | 'delete' | 'get' | 'has'; name: string; value?: string };

function play(headers: Headers, steps: readonly Step[]): unknown[] {
  return [
    ...steps.map(({ what, name: of, value: to = '' }) => outcome(() => headers[what](of, to) ?? 'nothing')),
    [...headers],
    [...headers.keys()],
    [...headers.values()],
    headers.getSetCookie(),
  ];
}

describe('the classes of a bundle', () => {
  test('have headers that do what those of the platform do, whatever is done to them', () => {
    const own = () => new plain.Headers() as unknown as Headers;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        expect(play(own(), steps)).toEqual(play(new Headers(), steps));
      }),
      { numRuns: 2_000 },
    );
  });

  test('have headers that are made of what those of the platform are made of', () => {
    for (const init of [
      undefined,
      {},
      { 'X-One': '1', a: ' b ' },
      [['a', '1'] as const, ['A', '2'] as const],
    ])
      expect([...new plain.Headers(init)]).toEqual([
        ...new Headers(init as ConstructorParameters<typeof Headers>[0]),
      ]);
    expect([...new plain.Headers(new plain.Headers({ a: '1' }))]).toEqual([['a', '1']]);
    expect(outcome(() => new plain.Headers({ 'bad name': '1' }))).toBe('TypeError');
  });

  test.each([
    ['GET', undefined],
    ['get', undefined],
    ['POST', 'text'],
    ['post', ''],
    ['Patch', 'x'],
    ['GET', 'body'],
    ['head', ''],
    ['TRACE', undefined],
    ['connect', undefined],
    ['BAD METHOD', undefined],
    ['', undefined],
  ])('make a request of %s with the body %j as the platform does', async (method, body) => {
    for (const url of ['https://example.com/a%20b?c=d', 'https://u:p@example.com/', 'no url']) {
      const init = { method, headers: { 'X-A': 'b' }, ...(body === undefined ? {} : { body }) };
      const made = outcome(() => new plain.Request(url, init)) as Request | string;
      const wanted = outcome(() => new Request(url, init)) as Request | string;
      if (typeof wanted === 'string' || typeof made === 'string') {
        expect(made).toBe(wanted);
        continue;
      }
      expect([made.method, made.url, made.headers.get('x-a')]).toEqual([wanted.method, wanted.url, 'b']);
      expect(made.body === null).toBe(wanted.body === null);
      expect(await made.text()).toBe(await wanted.text());
      expect(made.bodyUsed).toBe(wanted.bodyUsed);
    }
  });

  test('hand out a body once', async () => {
    const request = new plain.Request('https://example.com/', { method: 'POST', body: 'once' });
    const reader = request.body?.getReader();
    expect(await reader?.read()).toEqual({ done: false, value: Buffer.from('once') });
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
    await expect(request.text()).rejects.toThrow(TypeError);
  });

  test.each([
    [200, 'text'],
    [202, ''],
    [204, null],
    [204, 'body'],
    [304, null],
    [404, null],
    [99, null],
    [600, 'x'],
  ])('make an answer of %d with the body %j as the platform does', async (status, body) => {
    const made = outcome(() => new plain.Response(body, { status })) as Response | string;
    const wanted = outcome(() => new Response(body, { status })) as Response | string;
    if (typeof wanted === 'string' || typeof made === 'string') return expect(made).toBe(wanted);
    expect([made.status, made.ok, made.statusText, [...made.headers]]).toEqual([
      wanted.status,
      wanted.ok,
      wanted.statusText,
      [...wanted.headers],
    ]);
    expect(await made.text()).toBe(await wanted.text());
  });

  test('make an answer of JSON, and one of another answer, as the platform does', async () => {
    const [made, wanted] = [plain.Response, Response].map((of) => {
      const answer = of.json({ a: ['ü'] }, { status: 400, headers: { 'x-a': 'b' } }) as Response;
      return [answer, new of(answer.body as never, answer as never) as Response] as const;
    });
    for (const index of [0, 1] as const) {
      expect([...(made?.[index].headers ?? [])]).toEqual([...(wanted?.[index].headers ?? [])]);
      expect(made?.[index].status).toBe(400);
    }
    expect(await made?.[1].json()).toEqual({ a: ['ü'] });
  });
});
