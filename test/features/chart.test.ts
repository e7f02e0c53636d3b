import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { ROOT } from '../../infra/aws/package-stacks.ts';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { helm } from '../support/helm.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CHART = join(ROOT, 'infra/chart');

const FLEET = `clusters: []
storage: {directory: /var/lib/slipway}
providers: [{name: hub, type: github, token: "file:/etc/slipway/secrets/token", webhookSecrets: [env:WEBHOOK]}]
`;

const IMAGE = { repository: 'registry.example.com/slipway', digest: `sha256:${'a'.repeat(64)}` };

interface Manifest {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: manifests are looked into by path
  spec: any;
  data?: Record<string, string>;
}

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  await helm(['version']);
});
afterAll(() => directory.remove());

async function render(values: unknown): Promise<{ manifests: Map<string, Manifest>; stderr: string }> {
  const file = join(directory.path, 'values.yaml');
  await writeFile(file, stringify(values));
  const { stdout, stderr } = await helm([
    'template',
    'prod',
    CHART,
    '--namespace',
    'slipway',
    '--values',
    file,
  ]);
  const documents = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest | null);
  const manifests = documents.filter((manifest) => manifest !== null);
  return { manifests: new Map(manifests.map((manifest) => [manifest.kind, manifest])), stderr };
}

describe('the chart', () => {
  it('passes the linter of Helm', async () => {
    const file = join(directory.path, 'lint.yaml');
    await writeFile(file, stringify({ image: IMAGE, fleet: FLEET }));
    const { code, stdout } = await helm(['lint', CHART, '--strict', '--values', file]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
  });

  it('runs one process that may write to its volume and to /tmp alone, without root or rights in the cluster', async () => {
    const { manifests } = await render({ image: IMAGE, fleet: FLEET, secretName: 'credentials' });
    expect([...manifests.keys()].sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'NetworkPolicy',
      'PersistentVolumeClaim',
      'Service',
      'ServiceAccount',
    ]);
    const deployment = manifests.get('Deployment')?.spec;
    expect(deployment).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const pod = deployment.template.spec;
    const [container] = pod.containers;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 60,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container).toMatchObject({
      image: `${IMAGE.repository}@${IMAGE.digest}`,
      command: ['slipway'],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      livenessProbe: { httpGet: { path: '/healthz' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
    });
    const writable = container.volumeMounts.filter(({ readOnly }: { readOnly?: boolean }) => !readOnly);
    expect(writable.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/var/lib/slipway',
      '/tmp',
    ]);
  });

  it('carries the fleet file as it is, and starts a new process when it changes', async () => {
    const first = await render({ image: IMAGE, fleet: FLEET });
    const text = first.manifests.get('ConfigMap')?.data?.['slipway.yaml'] ?? '';
    expect(text).toBe(FLEET);
    expect(loadFleet(text, { path: '/etc/slipway/slipway.yaml' }).storage.directory).toBe('/var/lib/slipway');
    const second = await render({ image: IMAGE, fleet: `${FLEET}sweep: {interval: 5m}\n` });
    const digests = [first, second].map(
      ({ manifests }) => manifests.get('Deployment')?.spec.template.metadata.annotations['slipway.dev/fleet'],
    );
    expect(digests[0]).not.toBe(digests[1]);
  });

  it('keeps the volume with the record of runs when the release is removed', async () => {
    const { manifests } = await render({ image: IMAGE, fleet: FLEET });
    expect(manifests.get('PersistentVolumeClaim')?.metadata.annotations).toEqual({
      'helm.sh/resource-policy': 'keep',
    });
    const own = await render({ image: IMAGE, fleet: FLEET, storage: { existingClaim: 'mine' } });
    expect(own.manifests.has('PersistentVolumeClaim')).toBe(false);
  });

  it('lets it reach the outside on the ports of providers and clusters, and no metadata address', async () => {
    const { manifests } = await render({ image: IMAGE, fleet: FLEET });
    const [, out] = manifests.get('NetworkPolicy')?.spec.egress ?? [];
    expect(out.to[0].ipBlock.except).toContain('169.254.0.0/16');
    expect(out.ports.map(({ port }: { port: number }) => port)).toEqual([22, 443, 6443, 8443]);
  });

  it('gives secrets as files or variables, and an address by an ingress', async () => {
    const { manifests } = await render({
      image: IMAGE,
      fleet: FLEET,
      secretEnv: [{ name: 'WEBHOOK', secretName: 'hooks', key: 'github' }],
      ingress: { enabled: true, host: 'slipway.example.com', tlsSecretName: 'tls' },
    });
    const [container] = manifests.get('Deployment')?.spec.template.spec.containers ?? [];
    expect(container.env).toEqual([
      { name: 'WEBHOOK', valueFrom: { secretKeyRef: { name: 'hooks', key: 'github' } } },
    ]);
    expect(manifests.get('Ingress')?.spec).toMatchObject({
      rules: [{ host: 'slipway.example.com' }],
      tls: [{ hosts: ['slipway.example.com'], secretName: 'tls' }],
    });
  });

  it('says what is missing or wrong in its values', async () => {
    const faults = [
      [{ fleet: FLEET, image: { repository: 'x' } }, 'image.tag or image.digest must be given'],
      [
        { image: IMAGE, fleet: 'clusters: []' },
        'storage.directory of the fleet file must be /var/lib/slipway',
      ],
      [{ image: IMAGE, fleet: 'clusters: [' }, 'fleet is not YAML'],
      [{ image: IMAGE, fleet: FLEET, replicas: 2 }, 'replicas'],
      [{ image: IMAGE }, 'fleet'],
    ] as const;
    for (const [values, message] of faults) {
      const { manifests, stderr } = await render(values);
      expect(manifests.size, message).toBe(0);
      expect(stderr).toContain(message);
    }
  });
});
