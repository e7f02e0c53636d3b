import type { Condition } from '../../lib/core/conditions.ts';
import type { Inventory } from '../../lib/core/inventory.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { type KubeAnswer, kubeCall, kubeRequest } from './kube-request.ts';
import type { KubernetesConnection } from './kubernetes.ts';

/** A Toolkit object as the server has it. */
export interface ToolkitObject extends KubernetesObject {
  spec: Record<string, unknown>;
  status?: {
    conditions?: Condition[];
    inventory?: Inventory;
    observedGeneration?: number;
    lastAppliedRevision?: string;
    lastAttemptedRevision?: string;
    lastHandledReconcileAt?: string;
    artifact?: { revision: string; digest: string };
    webhookPath?: string;
  };
}

/** The paths of the kinds that tests look at, below the version. */
const PATHS = {
  configmaps: '/api/v1',
  secrets: '/api/v1',
  services: '/api/v1',
  serviceaccounts: '/api/v1',
  events: '/api/v1',
  deployments: '/apis/apps/v1',
  jobs: '/apis/batch/v1',
  roles: '/apis/rbac.authorization.k8s.io/v1',
  rolebindings: '/apis/rbac.authorization.k8s.io/v1',
  leases: '/apis/coordination.k8s.io/v1',
  gitrepositories: '/apis/source.toolkit.fluxcd.io/v1',
  kustomizations: '/apis/kustomize.toolkit.fluxcd.io/v1',
  imagerepositories: '/apis/image.toolkit.fluxcd.io/v1',
  imagepolicies: '/apis/image.toolkit.fluxcd.io/v1',
  imageupdateautomations: '/apis/image.toolkit.fluxcd.io/v1',
  receivers: '/apis/notification.toolkit.fluxcd.io/v1',
} as const;
/** A kind by its plural. */
export type Plural = keyof typeof PATHS;

/** Looks into a cluster and changes it, past the client that is tested. */
export interface Objects {
  connection: KubernetesConnection;
  /** The object, or undefined when it does not exist. */
  get<T = ToolkitObject>(plural: Plural, namespace: string, name: string): Promise<T | undefined>;
  /** The names of all objects of a kind in a namespace. */
  names(plural: Plural, namespace: string): Promise<string[]>;
  list<T = ToolkitObject>(plural: Plural, namespace?: string): Promise<T[]>;
  create(plural: Plural, object: KubernetesObject): Promise<KubernetesObject>;
  /** A merge patch. */
  patch(
    plural: Plural,
    namespace: string,
    name: string,
    body: unknown,
    subresource?: string,
  ): Promise<KubernetesObject>;
  delete(plural: Plural, namespace: string, name: string): Promise<KubeAnswer<unknown>>;
  namespace(name: string, labels?: Record<string, string>): Promise<void>;
}

/** The objects of a cluster. */
export function objectsOf(connection: KubernetesConnection): Objects {
  const path = (plural: Plural, namespace?: string, name?: string) =>
    `${PATHS[plural]}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}${name === undefined ? '' : `/${name}`}`;
  const list = async <T>(plural: Plural, namespace?: string): Promise<T[]> =>
    (await kubeCall<{ items: T[] }>(connection, 'GET', path(plural, namespace))).items;
  return {
    connection,
    async get<T>(plural: Plural, namespace: string, name: string) {
      const { status, body } = await kubeRequest<T>(connection, 'GET', path(plural, namespace, name));
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`GET ${path(plural, namespace, name)} answered ${status}`);
      return body;
    },
    list,
    names: async (plural, namespace) =>
      (await list<KubernetesObject>(plural, namespace)).map(({ metadata }) => metadata.name).sort(),
    create: (plural, object) => kubeCall(connection, 'POST', path(plural, object.metadata.namespace), object),
    patch: (plural, namespace, name, body, subresource) =>
      kubeCall(
        connection,
        'PATCH',
        `${path(plural, namespace, name)}${subresource ? `/${subresource}` : ''}`,
        body,
      ),
    delete: (plural, namespace, name) => kubeRequest(connection, 'DELETE', path(plural, namespace, name)),
    async namespace(name, labels = {}) {
      await kubeCall(connection, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
    },
  };
}

/** A condition of a Toolkit object. */
export function conditionOf(object: ToolkitObject | undefined, type = 'Ready'): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Ready for the generation it has now, having applied (or stored) this commit where one is given. */
export function isReadyAt(object: ToolkitObject | undefined, commit = ''): boolean {
  if (!object || conditionOf(object)?.status !== 'True') return false;
  if (object.status?.observedGeneration !== object.metadata.generation) return false;
  const revision = object.status?.lastAppliedRevision ?? object.status?.artifact?.revision ?? '';
  return revision.endsWith(commit);
}

/** The ids of an inventory. */
export function inventoryOf(object: ToolkitObject | undefined): string[] {
  return (object?.status?.inventory?.entries ?? []).map(({ id }) => id).sort();
}
