import { describe, expect, test } from 'vitest';
import { EngineFault, EngineProcess } from '../../../lib/render/engine-process.ts';
import { fakeEngines, type Respond } from '../../support/fake-engine.ts';

function processThat(respond: Respond) {
  const fake = fakeEngines(respond).start();
  return { fake, process: new EngineProcess(fake) };
}

const silent: Respond = () => undefined;

describe('a process of the engine', () => {
  test('answers one request after the other', async () => {
    const { process } = processThat(({ n }) => ({ twice: Number(n) * 2, payload: Buffer.from(`${n}`) }));
    for (const n of [1, 2, 3]) {
      const { header, payload } = await process.request({ n }, { timeout: 1_000 });
      expect(header.twice).toBe(2 * n);
      expect(Buffer.from(payload).toString()).toBe(String(n));
    }
    expect(process.served).toBe(3);
    expect(process.alive).toBe(true);
  });

  test('is killed when it does not answer in time', async () => {
    const { fake, process } = processThat(silent);
    await expect(process.request({}, { timeout: 5 })).rejects.toThrow(/no result after 0\.005 s/);
    expect(fake.killed).toBe(true);
    expect(process.alive).toBe(false);
  });

  test('is killed when the request is aborted, also before it was sent', async () => {
    const controller = new AbortController();
    const { fake, process } = processThat(() => {
      controller.abort();
      return undefined;
    });
    const request = process.request({}, { timeout: 10_000, signal: controller.signal });
    await expect(request).rejects.toThrow(new EngineFault('aborted'));
    expect(fake.killed).toBe(true);
    const late = processThat(silent);
    await expect(late.process.request({}, { timeout: 10_000, signal: controller.signal })).rejects.toThrow(
      /aborted/,
    );
  });

  test.each([
    [{ code: 137 }, /more memory/],
    [{ code: 2, stderr: 'runtime: goroutine stack exceeds 268435456-byte limit' }, /recursed without end/],
    [{ code: 1 }, /ended with code 1/],
  ])('that ends by itself says why: %j', async (exit, message) => {
    const { process } = processThat((_request, fake) => {
      fake.exit(exit);
      return undefined;
    });
    await expect(process.request({}, { timeout: 1_000 })).rejects.toThrow(message);
    expect(process.alive).toBe(false);
  });

  test('that answers another request than the one sent is killed', async () => {
    const { fake, process } = processThat((_request, sender) => {
      sender.send({ id: 99, ok: true });
      return undefined;
    });
    await expect(process.request({}, { timeout: 1_000 })).rejects.toThrow(/answered request 99/);
    expect(fake.killed).toBe(true);
  });

  test('may ask something before it answers', async () => {
    const { process } = processThat(async ({ id }, fake) => {
      fake.send({ id, call: 'unwrap', wrapped: ['x'] });
      const { header } = await fake.next();
      return { got: header.dataKey };
    });
    const onCall = async ({ wrapped }: Record<string, unknown>) => ({ dataKey: `key of ${wrapped}` });
    const { header } = await process.request({}, { timeout: 1_000, onCall });
    expect(header.got).toBe('key of x');
  });

  test('that asks when nobody answers is killed', async () => {
    const { fake, process } = processThat(({ id }, sender) => {
      sender.send({ id, call: 'unwrap' });
      return undefined;
    });
    await expect(process.request({}, { timeout: 1_000 })).rejects.toThrow(/asked for unwrap/);
    expect(fake.killed).toBe(true);
  });
});
