import { describe, expect, it } from 'vitest';
import { type RetryOptions, withRetries } from '../../../lib/kube/retry.ts';

function clock(random = 0): RetryOptions & { slept: number[] } {
  let time = 0;
  const slept: number[] = [];
  return {
    attempts: 5,
    budget: 10_000,
    baseDelay: 100,
    maxDelay: 1_000,
    now: () => time,
    random: () => random,
    sleep: async (ms) => {
      slept.push(ms);
      time += ms;
    },
    slept,
  };
}

const fault = (retryAfter?: number) => async () => ({ retry: { error: new Error('busy'), retryAfter } });

describe('withRetries', () => {
  it('returns the first value and tells each attempt how many came before', async () => {
    const options = clock();
    const value = await withRetries(options, undefined, async (earlier) =>
      earlier < 2 ? { retry: { error: new Error('busy'), retryAfter: undefined } } : { value: earlier },
    );
    expect(value).toBe(2);
    expect(options.slept).toEqual([100, 200]);
  });

  it('throws the last error when the attempts are used up', async () => {
    const options = clock();
    await expect(withRetries(options, undefined, fault())).rejects.toThrow('busy');
    expect(options.slept).toHaveLength(4);
  });

  it('never waits less than the server asked for, and adds up to half at random', async () => {
    const options = clock(1);
    await expect(withRetries({ ...options, attempts: 2 }, undefined, fault(800))).rejects.toThrow('busy');
    expect(options.slept).toEqual([1_200]);
  });

  it('starts no attempt after its budget', async () => {
    const options = clock();
    await expect(withRetries(options, undefined, fault(4_000))).rejects.toThrow('busy');
    expect(options.slept).toEqual([4_000, 4_000]);
  });

  it('ends with the last error when the caller aborts the wait', async () => {
    const options = { ...clock(), sleep: () => Promise.reject(new Error('aborted')) };
    await expect(withRetries(options, undefined, fault())).rejects.toThrow('busy');
  });
});
