import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { takeLock } from '../../../infra/testservers/build-lock.ts';
import { formatDuration } from '../../../infra/testservers/format-duration.ts';
import {
  cacheDirectory,
  giteaLocation,
  kubernetesLocation,
  registryLocation,
} from '../../../infra/testservers/location.ts';
import { missingForBuild } from '../../../infra/testservers/preflight.ts';
import { showProgress } from '../../../infra/testservers/progress.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('location', () => {
  test('follows SLIPWAY_CACHE, then XDG_CACHE_HOME', () => {
    expect(cacheDirectory({ SLIPWAY_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/slipway');
  });

  test('names the version that go.mod requires, so that another version is built beside it', () => {
    const { directory: kubernetes, version } = kubernetesLocation({ SLIPWAY_CACHE: '/a' });
    expect(version).toMatch(/^v1\.\d+\.\d+$/);
    expect(kubernetes).toMatch(new RegExp(`^/a/testservers/kubernetes-${version}-[0-9a-f]{12}$`));
    expect(registryLocation({ SLIPWAY_CACHE: '/a' }).version).toMatch(/^v3\.\d+\.\d+$/);
    expect(giteaLocation({ SLIPWAY_CACHE: '/a' }).binary).toMatch(/gitea-v1\.\d+\.\d+-[0-9a-f]{12}\/gitea$/);
  });

  test('takes programs that a machine has already', () => {
    expect(kubernetesLocation({ SLIPWAY_TESTSERVERS: '/opt' }).binary).toBe('/opt/kubernetes/controlplane');
    expect(giteaLocation({ SLIPWAY_TESTSERVERS: '/opt' }).directory).toBe('/opt/gitea');
  });
});

test('the preflight names all that is missing, with what to do', () => {
  const missing = missingForBuild({ PATH: directory, SLIPWAY_CACHE: join(directory, 'not', 'there') });
  expect(missing.join('\n')).toMatch(/^Go: not found\. Install Go 1\.\d+\.\d+ or newer/m);
  expect(missing.join('\n')).toMatch(/^C compiler: .* not found\. Install one/m);
  expect(missing.join('\n')).toMatch(/^Git: not found/m);
});

test('a lock is held by one at a time, and the next one gets it when it is given back', async () => {
  const file = join(directory, 'lock');
  const order: string[] = [];
  const release = await takeLock(file, () => order.push('the first waits'));
  const second = takeLock(file, () => order.push('the second waits')).then((give) => {
    order.push('the second has it');
    give();
  });
  await vi.waitFor(() => expect(order).toEqual(['the second waits']));
  order.push('the first gives it back');
  release();
  await second;
  expect(order).toEqual(['the second waits', 'the first gives it back', 'the second has it']);
});

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function output(isTTY: boolean): { stream: NodeJS.WriteStream; text(): string } {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    return { stream: stream as unknown as NodeJS.WriteStream, text: () => String(stream.read() ?? '') };
  }

  test('is a line every 30 s where there is no terminal', () => {
    const { stream, text } = output(false);
    const progress = showProgress('kubernetes v1', 300, stream);
    progress.update('compiling', 0);
    vi.advanceTimersByTime(60_000);
    progress.done('built');
    expect(text().trimEnd().split('\n')).toEqual([
      'kubernetes v1  starting  0s, about 5m00s left',
      'kubernetes v1  compiling  30s, about 4m30s left',
      'kubernetes v1  compiling  1m00s, about 4m00s left',
      'kubernetes v1  built in 1m00s',
    ]);
  });

  test('is one line that changes on a terminal', () => {
    const { stream, text } = output(true);
    const progress = showProgress('gitea v1', 100, stream);
    vi.advanceTimersByTime(1000);
    progress.done('built');
    const lines = text();
    expect(lines.split('\n')).toHaveLength(2);
    expect(lines.split('\r').length).toBeGreaterThan(4);
    expect(lines.endsWith('gitea v1  built in 1s\n')).toBe(true);
  });
});

test('durations are short', () => {
  expect([0.4, 42, 125, 3720].map(formatDuration)).toEqual(['0s', '42s', '2m05s', '1h02m']);
});
