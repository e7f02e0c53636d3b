import { expect } from 'vitest';
import { applyStaged } from '../../lib/apply/apply.ts';
import { ApplyError } from '../../lib/apply/apply-error.ts';
import type { AppliedRecord, ApplyOptions, ApplyResult, Owner } from '../../lib/apply/types.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { identityOf, refOf } from '../../lib/core/object.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { createKubeClient } from '../../lib/kube/rest.ts';
import type { KubernetesConnection } from './kubernetes.ts';

/** The owner that tests apply for. */
export const OWNER: Owner = {
  kind: 'Kustomization',
  group: 'kustomize.toolkit.fluxcd.io',
  name: 'app',
  namespace: 'flux-system',
};

export const MANAGER = 'kustomize-controller';

/** Options for an apply of `OWNER` that knows nothing. */
export function applyOptions(more: Partial<ApplyOptions> = {}): ApplyOptions {
  return {
    owner: OWNER,
    fieldManager: MANAGER,
    force: false,
    concurrency: 8,
    known: new Map(),
    ignore: [],
    signal: new AbortController().signal,
    now: Date.now,
    waitTimeout: 20_000,
    ...more,
  };
}

/** One Kustomization's applies, one after the other: it remembers records and inventory as the pipeline does. */
export class Applier {
  known = new Map<string, AppliedRecord>();
  readonly client: KubeClient;
  readonly counts: Counts;

  constructor(client: KubeClient, before?: (method: string, args: readonly unknown[]) => Promise<void>) {
    const counted = counting(client, before);
    this.client = counted.client;
    this.counts = counted.counts;
  }

  async apply(objects: readonly KubernetesObject[], more: Partial<ApplyOptions> = {}): Promise<ApplyResult> {
    const result = await applyStaged(this.client, objects, applyOptions({ known: this.known, ...more }));
    this.known = result.records;
    return result;
  }
}

/** What was done, as `Kind/namespace/name: action` lines without the namespace of the test. */
export function actions(result: ApplyResult): Record<string, string> {
  return Object.fromEntries(
    result.changeSet.entries.map(({ ref, action }) => [`${ref.kind}/${ref.name}`, action]),
  );
}

/** The inventory that an apply of these objects left. */
export function previousOf(objects: readonly KubernetesObject[]): ReadonlySet<string> {
  return new Set(objects.map((object) => identityOf(refOf(object))));
}

/** The error of an apply that must fail. */
export async function failureOf(apply: Promise<unknown>): Promise<ApplyError> {
  const error = await apply.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ApplyError);
  return error as ApplyError;
}

/** resourceVersions of objects, to show that nothing was written. */
export async function versions(client: KubeClient, objects: readonly KubernetesObject[]): Promise<string[]> {
  return Promise.all(
    objects.map(async (object) => (await client.getMetadata(refOf(object)))?.metadata.resourceVersion ?? ''),
  );
}

/** A client for a test file. */
export function clientOf(connection: KubernetesConnection): KubeClient {
  return createKubeClient(connection);
}

/** What was asked of a client, by kind of request. */
export interface Counts {
  reads: number;
  dryRuns: number;
  writes: number;
}

/** The same client, counting requests. `before` may do something in the cluster just before a request is sent. */
export function counting(
  client: KubeClient,
  before?: (method: string, args: readonly unknown[]) => Promise<void>,
): { client: KubeClient; counts: Counts } {
  const counts: Counts = { reads: 0, dryRuns: 0, writes: 0 };
  const wrapped = new Proxy(client, {
    get(target, name: keyof KubeClient) {
      const method = target[name] as (...args: unknown[]) => unknown;
      const reads = ['get', 'getMetadata', 'list', 'listMetadata'].includes(name);
      const writes = ['apply', 'create', 'update', 'updateStatus', 'patch', 'delete'].includes(name);
      if (!reads && !writes) return method;
      return async (...args: unknown[]) => {
        await before?.(name, args);
        const dryRun = args.some(
          (arg) => typeof arg === 'object' && arg !== null && 'dryRun' in arg && arg.dryRun,
        );
        counts[reads ? 'reads' : dryRun ? 'dryRuns' : 'writes']++;
        return method.apply(target, args);
      };
    },
  });
  return { client: wrapped, counts };
}

export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = { key: 'value' },
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

export function deployment(namespace: string, name: string): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'nginx:1.27',
              ports: [{ containerPort: 80 }],
              env: [{ name: 'MODE', value: 'production' }],
              resources: { limits: { memory: '64Mi' } },
            },
          ],
        },
      },
    },
  };
}
