import { afterAll, describe, expect, test } from 'vitest';
import { ReconcileError } from '../../lib/core/errors.ts';
import { type Files, renderFiles, testEngine } from '../support/render.ts';

const engine = testEngine({ processes: 1, timeoutMs: 10_000 });
afterAll(() => engine.close());

const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata:\n';

/** Whether it renders or fails, a hostile file costs seconds at most, and the next build is as if it had never been. */
async function outcomeOf(files: Files) {
  const began = Date.now();
  const outcome = await renderFiles(engine, files).catch((error: unknown) => error);
  expect(Date.now() - began).toBeLessThan(30_000);
  const { objects } = await renderFiles(engine, { 'a.yaml': `${MANIFEST}  a: b\n` });
  expect(objects).toMatchObject([{ kind: 'ConfigMap', data: { a: 'b' } }]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  return outcome;
}

describe('a file is refused by name', () => {
  test.each<[string, string | Uint8Array]>([
    ['with an unknown alias', `${MANIFEST}  a: *nobody\n`],
    ['indented with tabs', `${MANIFEST}\ta: b\n`],
    ['with a NUL', `${MANIFEST}  a: "b\u0000c"\n`],
    [
      'with bytes that are no UTF-8',
      Buffer.concat([Buffer.from(`${MANIFEST}  a: `), Buffer.from([0xff, 0x0a])]),
    ],
    ['that stops in the middle', `${MANIFEST}  a: "b`],
  ])('%s', async (_what, content) => {
    const error = await outcomeOf({ 'a.yaml': content });
    expect(error).toBeInstanceOf(ReconcileError);
    expect(error).toMatchObject({ reason: 'BuildFailed' });
    expect(String(error)).toContain('a.yaml');
  });
});

test('a key that stands twice is refused with its line', async () => {
  const error = await outcomeOf({ 'a.yaml': `${MANIFEST}  a: b\n  a: c\n` });
  expect(error).toMatchObject({ reason: 'BuildFailed' });
  expect(String(error)).toMatch(/line 6: .*already defined/);
});

describe('a file that refers to itself', () => {
  test('ends its own build alone', async () => {
    const error = await outcomeOf({ 'a.yaml': `${MANIFEST}  a: &a [*a]\n` });
    expect(error).toMatchObject({ reason: 'BuildFailed' });
    expect(String(error)).toContain('recursed without end');
  });

  test('by a merge gives no more than it holds', async () => {
    const outcome = await outcomeOf({ 'a.yaml': `${MANIFEST}  a: &a {<<: *a}\n` });
    if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'BuildFailed' });
    else expect(JSON.stringify(outcome).length).toBeLessThan(1_000);
  });
});

describe('a file costs no more than its size allows', () => {
  test('with ten thousand merges of one map of ten thousand keys', async () => {
    const keys = Array.from({ length: 10_000 }, (_, n) => `k${n}: "${n}"`).join(', ');
    const merges = `[${Array(10_000).fill('*a').join(', ')}]`;
    const outcome = await outcomeOf({
      'a.yaml': `apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x}\nbase: &a {${keys}}\nspec: {<<: ${merges}}\n`,
    });
    if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'BuildFailed' });
    else expect(outcome).toMatchObject({ objects: [{ spec: { k9999: '9999' } }] });
  });

  test('with one text of 40 MB', async () => {
    const outcome = await outcomeOf({ 'a.yaml': `${MANIFEST}  a: ${'x'.repeat(40_000_000)}\n` });
    if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'BuildFailed' });
    else expect(outcome).toMatchObject({ objects: [{ kind: 'ConfigMap' }] });
  }, 60_000);
});

describe('nothing but plain values comes out', () => {
  test.each([
    ['a function', '!!js/function "function () { return 1 }"'],
    ['an object of Python', '!!python/object/apply:os.system ["id"]'],
  ])('of a tag for %s', async (_what, value) => {
    const outcome = await outcomeOf({ 'a.yaml': `${MANIFEST}  a: ${value}\n` });
    if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'BuildFailed' });
    else expect(JSON.stringify(outcome)).toMatch(/function|os\.system|id/);
  });

  test('of keys that mean something to JavaScript', async () => {
    const outcome = await outcomeOf({
      'a.yaml': `apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x}\nspec:\n  __proto__: {polluted: true}\n  constructor: {prototype: {polluted: true}}\n`,
    });
    if (outcome instanceof Error) throw outcome;
    const [object] = (outcome as { objects: { spec: Record<string, unknown> }[] }).objects;
    const spec = object?.spec ?? {};
    expect(spec.polluted).toBeUndefined();
    expect(Object.keys(spec)).toEqual(expect.arrayContaining(['constructor']));
  });
});

test('a file with a byte order mark is read like one without', async () => {
  const outcome = await outcomeOf({ 'a.yaml': `\ufeff${MANIFEST}  a: b\n` });
  expect(outcome).toMatchObject({ objects: [{ kind: 'ConfigMap', data: { a: 'b' } }] });
});

test('a file in UTF-16 is read or refused, and never half understood', async () => {
  const utf16 = Buffer.from(`\ufeff${MANIFEST}  a: b\n`, 'utf16le');
  const outcome = await outcomeOf({ 'a.yaml': utf16 });
  if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'BuildFailed' });
  else expect(outcome).toMatchObject({ objects: [{ kind: 'ConfigMap', data: { a: 'b' } }] });
});
