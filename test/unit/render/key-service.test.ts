import { describe, expect, test } from 'vitest';
import { createKeyService } from '../../../lib/render/key-service.ts';
import { fakeEngines } from '../../support/fake-engine.ts';

const keys = { ageIdentities: ['AGE-SECRET-KEY-1X'], pgpKeys: ['-----BEGIN PGP'] };

describe('the key service', () => {
  test('starts no process until a data key is asked for, and one for all', async () => {
    const engines = fakeEngines(({ op }) => (op === 'keys' ? {} : { dataKey: 'ZGF0YQ==' }));
    const service = createKeyService(engines.start, 'engine', [], keys);
    expect(engines.started).toHaveLength(0);
    const call = { call: 'unwrap', wrapped: [{ type: 'age' }] };
    expect(await service.onCall(call)).toEqual({ dataKey: 'ZGF0YQ==' });
    expect(await service.onCall(call)).toEqual({ dataKey: 'ZGF0YQ==' });
    expect(engines.started).toHaveLength(1);
    const [loaded, unwrap] = engines.started[0]?.requests ?? [];
    expect(loaded).toMatchObject({ op: 'keys', ageKeys: keys.ageIdentities, pgpKeys: keys.pgpKeys });
    expect(unwrap).toMatchObject({ op: 'unwrap', wrapped: call.wrapped });
    service.close();
    await expect.poll(() => engines.started[0]?.killed).toBe(true);
  });

  test('tells of malformed keys and of keys that do not fit, and goes on', async () => {
    const malformed = fakeEngines(() => ({ ok: false, error: 'malformed' }));
    const call = { call: 'unwrap', wrapped: [] };
    expect(await createKeyService(malformed.start, 'engine', [], keys).onCall(call)).toEqual({
      error: 'malformed',
    });
    expect(malformed.started[0]?.killed).toBe(true);
    const none = fakeEngines(({ op }) => (op === 'keys' ? {} : { ok: false, error: 'no matching key' }));
    expect(await createKeyService(none.start, 'engine', [], keys).onCall(call)).toEqual({
      error: 'no matching key',
    });
  });

  test('answers only what it knows', async () => {
    const engines = fakeEngines(() => ({}));
    const service = createKeyService(engines.start, 'engine', [], keys);
    expect(await service.onCall({ call: 'other' })).toEqual({ error: 'unknown call other' });
    service.close();
  });
});
