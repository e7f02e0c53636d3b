import { request } from 'node:https';
import { kubeCall } from '../support/kube-request.ts';
import type { KubernetesConnection } from '../support/kubernetes.ts';

/** As much of an object as the demo looks at. */
export interface SeenObject {
  kind: string;
  metadata: { name: string; namespace?: string; uid: string };
  spec?: { replicas?: number; template?: { spec?: { containers?: { image?: string }[] } } };
  data?: Record<string, string>;
}

export interface Change {
  type: 'created' | 'changed' | 'deleted';
  object: SeenObject;
  /** The object before the change. */
  before?: SeenObject;
}

export interface ObjectWatch {
  /** The object as last seen. */
  get(kind: string, name: string): SeenObject | undefined;
  stop(): void;
}

const kinds: Record<string, string> = {
  Deployment: '/apis/apps/v1/namespaces/podinfo/deployments',
  Service: '/api/v1/namespaces/podinfo/services',
  ConfigMap: '/api/v1/namespaces/podinfo/configmaps',
};

/** Follows the objects of the application in one cluster through the API's own watch. */
export async function watchObjects(
  connection: KubernetesConnection,
  onChange: (change: Change) => void,
): Promise<ObjectWatch> {
  const seen = new Map<string, SeenObject>();
  let stopped = false;
  const stops = new Set<() => void>();

  function observe(kind: string, type: string, raw: SeenObject): void {
    const object = { ...raw, kind };
    const key = `${kind}/${object.metadata.name}`;
    // The controller manager puts one into every namespace; it is none of the application's.
    if (key === 'ConfigMap/kube-root-ca.crt') return;
    const before = seen.get(key);
    if (type === 'DELETED') seen.delete(key);
    else seen.set(key, object);
    if (type === 'DELETED') onChange({ type: 'deleted', object });
    else onChange(before ? { type: 'changed', object, before } : { type: 'created', object });
  }

  async function follow(kind: string, path: string): Promise<void> {
    const list = await kubeCall<{ metadata: { resourceVersion: string }; items: SeenObject[] }>(
      connection,
      'GET',
      path,
    );
    for (const item of list.items) observe(kind, 'ADDED', item);
    open(kind, path, list.metadata.resourceVersion);
  }

  function open(kind: string, path: string, resourceVersion: string): void {
    if (stopped) return;
    let version = resourceVersion;
    const url = `${connection.server}${path}?watch=1&timeoutSeconds=3600&resourceVersion=${version}`;
    const headers = { authorization: `Bearer ${connection.token}` };
    const sent = request(url, { ca: connection.caData, headers, agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        const lines = (rest + part).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const event = JSON.parse(line) as {
            type: string;
            object: SeenObject & { metadata: { resourceVersion: string } };
          };
          version = event.object.metadata.resourceVersion;
          observe(kind, event.type, event.object);
        }
      });
      response.on('close', () => {
        stops.delete(stop);
        open(kind, path, version);
      });
    });
    const stop = () => sent.destroy();
    stops.add(stop);
    sent.on('error', () => {});
    sent.end();
  }

  await Promise.all(Object.entries(kinds).map(([kind, path]) => follow(kind, path)));
  return {
    get: (kind, name) => seen.get(`${kind}/${name}`),
    stop() {
      stopped = true;
      for (const stop of stops) stop();
    },
  };
}

/** The change in words, or undefined when nothing of interest changed (a status, say). */
export function describeChange({ type, object, before }: Change): string | undefined {
  const name = `${object.kind} ${object.metadata.name}`;
  if (type !== 'changed') return `${name} ${type}${type === 'created' ? details(object) : ''}`;
  const differences: string[] = [];
  if (imageOf(before) !== imageOf(object)) differences.push(`image ${tagOf(before)} → ${tagOf(object)}`);
  if (before?.spec?.replicas !== object.spec?.replicas) {
    differences.push(`replicas ${before?.spec?.replicas} → ${object.spec?.replicas}`);
  }
  for (const key of Object.keys({ ...before?.data, ...object.data })) {
    if (before?.data?.[key] !== object.data?.[key]) {
      differences.push(`${key} "${before?.data?.[key] ?? ''}" → "${object.data?.[key] ?? ''}"`);
    }
  }
  return differences.length > 0 ? `${name}: ${differences.join(', ')}` : undefined;
}

function details(object: SeenObject): string {
  return object.kind === 'Deployment' ? ` (image ${tagOf(object)}, ${object.spec?.replicas} replicas)` : '';
}

/** Image of the first container. */
export function imageOf(object: SeenObject | undefined): string | undefined {
  return object?.spec?.template?.spec?.containers?.[0]?.image;
}

function tagOf(object: SeenObject | undefined): string {
  return imageOf(object)?.split(':').at(-1) ?? 'none';
}
