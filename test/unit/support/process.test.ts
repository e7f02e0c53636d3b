import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startServer, waitUntilReady } from '../../support/process.ts';

/** The machine may be busy. */
const patient = { timeout: 8_000 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function shell(script: string, args: string[] = []) {
  return startServer({
    name: 'example',
    command: 'sh',
    args: ['-c', script, 'example', ...args],
    logFile: join(directory, 'log'),
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that nobody has waited for yet is dead all the same.
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return !/\) Z/.test(stat);
}

test('a server that ends while starting is an error with its log', async () => {
  const server = await shell('echo cannot listen >&2; exit 3');
  await expect(waitUntilReady(server, async () => false)).rejects.toThrow(
    /example ended while starting.*\ncannot listen/,
  );
  expect(await server.exited).toBe(3);
});

test('a server that does not get ready in time is an error with its log', async () => {
  const server = await shell('echo thinking; sleep 60');
  await expect(waitUntilReady(server, async () => false, 300)).rejects.toThrow(
    /not ready after 0.3 s.*\nthinking/,
  );
  await server.stop();
  expect(server.running()).toBe(false);
});

test('a server gets the time to end by itself, and its exit code is kept', async () => {
  const server = await shell('trap "echo ended; exit 7" TERM; echo up; while :; do sleep 0.05; done');
  await vi.waitFor(() => expect(server.logTail()).toContain('up'), patient);
  await server.stop('SIGTERM');
  expect(await server.exited).toBe(7);
  expect(server.logTail()).toContain('ended');
});

test('a server that ignores the signal is killed after its grace', async () => {
  const server = await shell('trap "" TERM; echo up; while :; do sleep 0.05; done');
  await vi.waitFor(() => expect(server.logTail()).toContain('up'), patient);
  await server.stop('SIGTERM', 100);
  expect(server.running()).toBe(false);
});

test('a server that is paused does nothing until it is resumed', async () => {
  const server = await shell('echo $$; while :; do sleep 0.05; done');
  await vi.waitFor(() => expect(server.logTail()).toMatch(/^\d+$/), patient);
  const pid = Number(server.logTail());
  const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  server.pause();
  await vi.waitFor(() => expect(state()).toBe('T'), patient);
  server.resume();
  await vi.waitFor(() => expect(state()).not.toBe('T'), patient);
  expect(server.running()).toBe(true);
  server.pause();
  await vi.waitFor(() => expect(state()).toBe('T'), patient);
  await server.stop();
  // Its guard is gone first; whoever inherits what it guarded takes a moment to notice its end.
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), patient);
});

test('a server and its folder do not outlive the process that started it, even when that is killed', async () => {
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch);
  const module = JSON.stringify(join(import.meta.dirname, '../../support/process.ts'));
  const script = `
    const { startServer } = await import(${module});
    await startServer({ name: 'example', command: 'sh', args: ['-c', 'echo $$; sleep 600'],
      logFile: ${JSON.stringify(join(directory, 'log'))}, scratch: ${JSON.stringify(scratch)} });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const pid = await vi.waitFor(() => {
    const text = readFileSync(join(directory, 'log'), 'utf8').trim();
    expect(text).toMatch(/^\d+$/);
    return Number(text);
  }, patient);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await vi.waitFor(() => {
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(scratch)).toBe(false);
  }, patient);
});
