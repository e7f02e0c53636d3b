import { afterEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine, type EngineOptions } from '../../../lib/render/engine.ts';
import { fakeEngines, type Respond } from '../../support/fake-engine.ts';

const engines: Engine[] = [];
afterEach(() => Promise.all(engines.splice(0).map((engine) => engine.close())));

const closure = { files: ['a.yaml'], missing: [], directories: [] };
const answering: Respond = ({ op }) => (op === 'build' ? { closure, payload: Buffer.from('[]') } : {});

function engineThat(respond: Respond, options: Partial<EngineOptions> = {}) {
  const fakes = fakeEngines(respond);
  const engine = createEngine({ path: 'engine', processes: 2, start: fakes.start, ...options });
  engines.push(engine);
  const reads: string[] = [];
  const build = (tenant: string, tree = 'tree', signal?: AbortSignal) =>
    engine.build(
      { tree, path: '.', spec: {} },
      {
        tenant,
        signal,
        readTree: async () => {
          reads.push(tree);
          return new Uint8Array(1);
        },
      },
    );
  return { engine, build, reads, started: fakes.started };
}

/** A gate that builds wait at, to hold processes busy. */
function gated(): { respond: Respond; open: () => void } {
  const gate = Promise.withResolvers<void>();
  return {
    open: () => gate.resolve(),
    respond: async (request, process) => {
      if (request.op === 'build') await gate.promise;
      return answering(request, process);
    },
  };
}

const operations = (process: { requests: Record<string, unknown>[] } | undefined) =>
  process?.requests.map(({ op, tree }) => (tree ? `${op} ${tree}` : op));

describe('the pool of engines', () => {
  test('gives the answer of a build', async () => {
    const { build } = engineThat(answering);
    expect(await build('a')).toMatchObject({ ok: true, closure, warnings: [], error: '' });
  });

  test('sends a tree once to a process, and again when it was dropped', async () => {
    let dropped = false;
    const { build, reads, started } = engineThat((request, process) => {
      if (request.op !== 'build' || !dropped) return answering(request, process);
      dropped = false;
      return { ok: false, code: 'UnknownTree' };
    });
    await build('a');
    await build('a');
    expect(reads).toEqual(['tree']);
    dropped = true;
    expect((await build('a')).ok).toBe(true);
    expect(reads).toEqual(['tree', 'tree']);
    expect(started).toHaveLength(1);
  });

  test('lets one process do many builds, as long as none waits for long', async () => {
    const { respond, open } = gated();
    const { build, started } = engineThat(respond, { growAfterMs: 60_000 });
    const builds = Array.from({ length: 5 }, () => build('a'));
    open();
    await Promise.all(builds);
    expect(started).toHaveLength(1);
  });

  test('lets no tenant wait for the process of another', async () => {
    const { respond, open } = gated();
    const { build, started } = engineThat(respond, { growAfterMs: 60_000 });
    const builds = [build('a'), build('a'), build('b')];
    await expect.poll(() => started.length).toBe(2);
    open();
    await Promise.all(builds);
  });

  test('starts processes up to its limit when builds wait for long, and lets further ones wait', async () => {
    const { respond, open } = gated();
    const { build, started } = engineThat(respond, { growAfterMs: 1 });
    const builds = Array.from({ length: 5 }, () => build('a'));
    await expect.poll(() => started.length).toBe(2);
    open();
    await Promise.all(builds);
    expect(started).toHaveLength(2);
  });

  test('never shares a process between tenants', async () => {
    const { build, started } = engineThat(answering, { processes: 1 });
    await build('a', 'tree-a');
    await build('b', 'tree-b');
    await build('b', 'tree-b');
    expect(started.map(operations)).toEqual([
      ['tree tree-a', 'build tree-a'],
      ['tree tree-b', 'build tree-b', 'build tree-b'],
    ]);
    expect(started[0]?.killed).toBe(true);
  });

  test('prefers the process that holds the tree', async () => {
    const { respond, open } = gated();
    const { build, reads } = engineThat(respond);
    const first = [build('a', 'one'), build('a', 'two')];
    open();
    await Promise.all(first);
    await build('a', 'two');
    await build('a', 'one');
    expect(reads.sort()).toEqual(['one', 'two']);
  });

  test('lets builds of the same tenant go first, but none wait for ever', async () => {
    const { respond, open } = gated();
    const { build } = engineThat(respond, { processes: 1 });
    const order: string[] = [];
    const run = (tenant: string) => build(tenant).then(() => order.push(tenant));
    const builds = [run('a'), run('b'), ...Array.from({ length: 30 }, () => run('a'))];
    open();
    await Promise.all(builds);
    expect(order.indexOf('b')).toBeGreaterThan(1);
    expect(order.indexOf('b')).toBeLessThan(20);
  });

  test('replaces a process after a build that changed its state', async () => {
    const { build, started } = engineThat((request, process) =>
      request.op === 'build' ? { closure, tainted: true } : answering(request, process),
    );
    expect((await build('a')).ok).toBe(true);
    expect(started[0]?.killed).toBe(true);
    await build('a');
    expect(started).toHaveLength(2);
  });

  test('replaces a process after so many requests', async () => {
    const { build, started } = engineThat(answering, { recycleAfter: 3 });
    for (let n = 0; n < 4; n++) await build('a');
    expect(started).toHaveLength(2);
  });

  test('keeps a process whose build failed as builds do', async () => {
    const { build, started } = engineThat((request, process) =>
      request.op === 'build'
        ? { ok: false, code: 'BuildFailed', error: 'x', closure }
        : answering(request, process),
    );
    expect(await build('a')).toMatchObject({ ok: false, code: 'BuildFailed', error: 'x', closure });
    await build('a');
    expect(started).toHaveLength(1);
  });

  test('replaces a process that died, and goes on', async () => {
    let crash = true;
    const { build, started } = engineThat((request, process) => {
      if (request.op === 'build' && crash) {
        crash = false;
        process.exit({ code: 2 });
        return undefined;
      }
      return answering(request, process);
    });
    await expect(build('a')).rejects.toThrow(/ended with code 2/);
    expect((await build('a')).ok).toBe(true);
    expect(started).toHaveLength(2);
  });

  test('does not use a process that died while it was idle', async () => {
    const { build, started } = engineThat(answering);
    await build('a');
    started[0]?.exit({ code: 1 });
    await started[0]?.exited;
    expect((await build('a')).ok).toBe(true);
    expect(started).toHaveLength(2);
  });

  test('refuses an artifact that the engine cannot read', async () => {
    const { build } = engineThat(() => ({ ok: false, error: 'malformed archive' }));
    await expect(build('a')).rejects.toThrow(/artifact cannot be read: malformed archive/);
  });

  test('lets go of a build that was aborted while it waited, and keeps serving', async () => {
    const { respond, open } = gated();
    const { build } = engineThat(respond, { processes: 1 });
    const controller = new AbortController();
    const first = build('a');
    const waiting = build('a', 'tree', controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow(/aborted/);
    open();
    await first;
    expect((await build('a')).ok).toBe(true);
  });

  test('ends everything when it is closed', async () => {
    const { engine, build, started } = engineThat(() => undefined, { processes: 1 });
    const builds = [build('a'), build('a')].map((promise) => promise.catch((error: Error) => error.message));
    await expect.poll(() => started.length).toBe(1);
    await engine.close();
    expect(await Promise.all(builds)).toEqual([expect.any(String), 'the engine is closed']);
    expect(started.every(({ killed }) => killed)).toBe(true);
    await expect(build('a')).rejects.toThrow(/closed/);
  });

  test('can be warmed before the first build, which any tenant may then use', async () => {
    const { engine, build, started } = engineThat(answering);
    engine.warm();
    await expect.poll(() => operations(started[0])).toEqual(['warm']);
    await build('b');
    expect(started).toHaveLength(1);
    expect(operations(started[0])).toEqual(['warm', 'tree tree', 'build tree']);
  });
});
