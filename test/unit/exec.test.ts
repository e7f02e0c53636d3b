import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ExecError, run, start } from '../../lib/exec.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const sh = (script: string, options = {}) => run('sh', ['-c', script], options);

async function faultOf(promise: Promise<unknown>): Promise<ExecError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ExecError)) throw new Error(`expected an ExecError, got ${String(error)}`);
  return error;
}

/** True while a process exists and is no zombie. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('stdin, stdout, stderr and the exit code are passed on', async () => {
  const result = await sh('cat; echo problem >&2; exit 3', { stdin: 'hello' });
  expect(text(result.stdout)).toBe('hello');
  expect(result.stderr).toBe('problem');
  expect(result.code).toBe(3);
});

test('arguments reach the program as they are, without a shell', async () => {
  const result = await run('printf', ['%s|', '$(id)', '; rm -rf /', "it's", '`x`']);
  expect(text(result.stdout)).toBe("$(id)|; rm -rf /|it's|`x`|");
});

test('nothing of our environment is inherited', async () => {
  process.env.SLIPWAY_CANARY = 'canary';
  const result = await run('env', [], { env: { ONLY: 'this' } });
  delete process.env.SLIPWAY_CANARY;
  const names = text(result.stdout)
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.sort()).toEqual(['LC_ALL', 'ONLY', 'PATH']);
});

test('secrets are removed from stderr', async () => {
  const result = await sh('echo "bad password hunter22 for u" >&2', { secrets: ['hunter22'] });
  expect(result.stderr).toBe('bad password *** for u');
});

test('a program that does not exist is named', async () => {
  const error = await faultOf(run('no-such-program-here', []));
  expect(error.fault).toBe('not-found');
  expect(error.message).toContain('no-such-program-here');
});

test('at the time limit the process and its children are killed', async () => {
  let child = 0;
  const onStdout = (chunk: Uint8Array) => {
    child = Number(text(chunk));
  };
  const error = await faultOf(sh('sleep 60 & echo $!; wait', { timeout: 300, onStdout }));
  expect(error.fault).toBe('timeout');
  expect(child).toBeGreaterThan(0);
  // A process that is killed closes its files a moment before it counts as ended.
  await expect.poll(() => alive(child)).toBe(false);
});

test('an abort ends it at once, also before it was started', async () => {
  const controller = new AbortController();
  const running = sh('echo ready; sleep 60', {
    signal: controller.signal,
    onStdout: () => controller.abort(),
  });
  expect((await faultOf(running)).fault).toBe('aborted');
  expect((await faultOf(sh('true', { signal: controller.signal }))).fault).toBe('aborted');
});

test('endless output is cut off and memory stays bounded', async () => {
  const error = await faultOf(run('yes', [], { maxOutput: 100_000 }));
  expect(error.fault).toBe('output');
});

test('only the end of a long stderr is kept', async () => {
  const result = await sh('head -c 100000 /dev/zero | tr "\\0" x >&2; echo END >&2');
  expect(result.stderr.length).toBeLessThanOrEqual(16 * 1024);
  expect(result.stderr.endsWith('END')).toBe(true);
});

test('a child that closes its stdin early does no harm', async () => {
  const result = await sh('exec <&-; exit 0', { stdin: Buffer.alloc(1_000_000) });
  expect(result.code).toBe(0);
});

test('a consumer that fails stops the process and its message is the error', async () => {
  const onStdout = () => {
    throw new Error('too many files');
  };
  expect((await faultOf(run('yes', [], { onStdout }))).message).toContain('too many files');
});

test('a long-living process answers over its pipes and ends when killed', async () => {
  const cat = start('cat', []);
  const answer = new Promise<string>((resolve) => cat.stdout.once('data', (chunk) => resolve(String(chunk))));
  cat.stdin.write('ping');
  expect(await answer).toBe('ping');
  cat.kill();
  expect(await cat.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
  cat.kill();
});

test('a long-living process that cannot be started rejects', async () => {
  expect((await faultOf(start('no-such-program-here', []).exited)).fault).toBe('not-found');
});

test('what was started ends with the process that started it', async () => {
  const module = new URL('../../lib/exec.ts', import.meta.url).href;
  const script = `import { start } from '${module}'; const child = start('sleep', ['60']); console.log(child.pid); process.exit(0);`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script]);
  expect(stderr).toBe('');
  expect(Number(text(stdout))).toBeGreaterThan(0);
  await expect.poll(() => alive(Number(text(stdout)))).toBe(false);
});
