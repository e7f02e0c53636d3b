import { expect, test } from 'vitest';
import { receiverFaults } from '../../../lib/pipeline/receiver-faults.ts';
import { parseToolkitObject } from '../../../lib/toolkit/parse.ts';
import { samples } from '../../support/toolkit-samples.ts';

function faults(spec: Record<string, unknown>): string[] {
  const parsed = parseToolkitObject({
    apiVersion: 'notification.toolkit.fluxcd.io/v1',
    kind: 'Receiver',
    metadata: { name: 'hub', namespace: 'apps' },
    spec,
  });
  if (!parsed.ok) throw new Error(parsed.errors.map(({ message }) => message).join());
  return receiverFaults(parsed.object).map(({ path, message }) => `${path}: ${message}`);
}

const secretRef = { name: 'token' };

test('expressions that are none are found with their place', () => {
  const found = faults({
    type: 'github',
    secretRef,
    resourceFilter: 'req.',
    resources: [
      { kind: 'GitRepository', name: 'app', filter: 'claims.x == 1' },
      { kind: 'GitRepository', name: '*' },
      { kind: 'GitRepository', name: 'app', filter: "req.ref == 'x'" },
    ],
  });
  expect(found).toHaveLength(3);
  expect(found[0]).toMatch(/^spec\.resourceFilter: the CEL expression 'req\.' is invalid/);
  expect(found[1]).toMatch(/^spec\.resources\[0\]\.filter: .*claims/);
  expect(found[2]).toBe('spec.resources[1].name: the name * needs matchLabels');
});

test('those over the claims of a token are found too', () => {
  const found = faults({
    type: 'generic-oidc',
    oidcProviders: [{ issuerURL: 'https://a.example', validations: [{ expression: '1 + 1', message: 'x' }] }],
    resourceFilter: 'claims.repository == res.metadata.name',
    resources: [{ kind: 'GitRepository', name: 'app' }],
  });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^spec\.oidcProviders\[0\]: .*int/);
});

test('the samples, and objects of other kinds, have none', () => {
  for (const sample of samples) {
    const parsed = parseToolkitObject(sample);
    expect(parsed.ok && receiverFaults(parsed.object)).toEqual([]);
  }
});
