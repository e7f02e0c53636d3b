import { AsyncLocalStorage } from 'node:async_hooks';
import type { KubernetesObject, ObjectRef } from '../../lib/core/object.ts';
import { describe, gvkOf, refOf } from '../../lib/core/object.ts';
import type { ApiResource, KubeClient, ListOptions, PartialObject } from '../../lib/kube/client.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { kinds } from '../../lib/toolkit/registry.ts';
import type { Live } from './expectations.ts';
import type { Api } from './modelled-api.ts';
import type { Process, Scheduler } from './scheduler.ts';
import { sights } from './sight.ts';
import { wireCopy } from './wire-copy.ts';

/** Is told of each write when a process sends it. */
export type OnSent = (
  process: Process,
  verb: string,
  ref: ObjectRef,
  object: KubernetesObject | undefined,
) => void;

const CRD = 'CustomResourceDefinition';

/** What the modelled server serves: the Toolkit, and the few built-in kinds that the story needs. */
const SERVED = new Map<string, ApiResource>(
  [
    ...kinds.map(({ group, version, kind, plural }) => ({ group, version, kind, plural, namespaced: true })),
    { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
    { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true },
    { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
    { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', namespaced: true },
    {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      kind: CRD,
      plural: 'customresourcedefinitions',
      namespaced: false,
    },
  ].map((resource) => [`${resource.group}/${resource.kind}`, { ...resource, verbs: ['list', 'get'] }]),
);

/** The Toolkit's definitions are installed and never change; they are not copied with each world. */
const DEFINITIONS = new Map(
  customResourceDefinitions().map((definition) => [
    definition.metadata.name,
    { ...definition, metadata: { ...definition.metadata, uid: definition.metadata.name, generation: 1 } },
  ]),
);

/** The cluster's API as one process sees it. Faults of the server come as they are: retries inside the real client are left out. */
export function modelledClient(scheduler: Scheduler, process: Process, api: Api, onSent: OnSent): KubeClient {
  const read = <T>(name: string, act: () => T) =>
    scheduler.call(process, 'kube', name, { writes: false, act });
  const write = <T>(
    verb: string,
    ref: ObjectRef,
    object: KubernetesObject | undefined,
    act: () => unknown,
  ) => {
    onSent(process, verb, ref, object);
    if (!verb.endsWith('delete')) noteSource(undefined);
    const asRun = AsyncLocalStorage.bind(act);
    return scheduler.call(process, 'kube', `${verb} ${describe(ref)}`, {
      writes: true,
      act: asRun,
    }) as Promise<T>;
  };
  const noteSource = (source: KubernetesObject | undefined) => {
    const sight = sights.getStore();
    if (!sight) return;
    sight.revision = (source as Live | undefined)?.status?.artifact?.revision;
    sight.at = scheduler.now;
  };
  const find = (ref: ObjectRef) => (ref.kind === CRD ? DEFINITIONS.get(ref.name) : api.get(ref));
  const list = (
    { group, kind }: { group: string; kind: string },
    { namespace, labelSelector }: ListOptions = {},
  ) =>
    api
      .list(group, kind)
      .filter(({ metadata }) => !namespace || metadata.namespace === namespace)
      .filter(({ metadata }) => carries(metadata.labels, labelSelector));
  const resource = (gvk: { group: string; kind: string }) =>
    Promise.resolve(SERVED.get(`${gvk.group}/${gvk.kind}`));
  const client: KubeClient = {
    as: () => client,
    resource,
    preferred: (group, kind) => resource({ group, kind }),
    resources: () => Promise.resolve([...SERVED.values()]),
    invalidate() {},
    get: <T extends KubernetesObject>(ref: ObjectRef) => {
      const act = () => {
        const found = find(ref);
        if (ref.kind === 'GitRepository') noteSource(found);
        return found as T | undefined;
      };
      return read(`get ${describe(ref)}`, AsyncLocalStorage.bind(act));
    },
    getMetadata: (ref) =>
      read(`get ${describe(ref)}`, () => {
        const found = find(ref);
        return found && metadataOf(found);
      }),
    list: <T extends KubernetesObject>(gvk: { group: string; kind: string }, options?: ListOptions) =>
      read(`list ${gvk.kind}`, () => ({ items: list(gvk, options) as T[], resourceVersion: '' })),
    listMetadata: (gvk, options) =>
      read(`list ${gvk.kind}`, () => ({ items: list(gvk, options).map(metadataOf), resourceVersion: '' })),
    apply: <T extends KubernetesObject>(
      object: KubernetesObject,
      options: Parameters<KubeClient['apply']>[1],
    ) => {
      const { fieldManager, dryRun = false } = options;
      const copy = wireCopy(object);
      const act = () => api.apply(copy, fieldManager, dryRun);
      if (dryRun) return read(`try ${describe(refOf(object))}`, act) as Promise<T>;
      return write<T>('apply', refOf(object), object, act);
    },
    create: <T extends KubernetesObject>(object: KubernetesObject) => {
      const copy = wireCopy(object);
      // Events are told for the reader's convenience; nothing reads them.
      if (object.kind === 'Event') return Promise.resolve(copy as T);
      return write<T>('create', refOf(object), object, () => api.create(copy));
    },
    update: <T extends KubernetesObject>(object: KubernetesObject) => {
      const copy = wireCopy(object);
      return write<T>('update', refOf(object), object, () => api.update(copy, ''));
    },
    updateStatus: <T extends KubernetesObject>(object: KubernetesObject) => {
      const copy = wireCopy(object);
      return write<T>('update status of', refOf(object), object, () => api.update(copy, 'status'));
    },
    patch: <T extends KubernetesObject>(
      ref: ObjectRef,
      ...[type, body]: [Parameters<KubeClient['patch']>[1], unknown]
    ) => write<T>('patch', ref, undefined, () => api.patch(ref, type, wireCopy(body))),
    delete: (ref, options) => {
      // One that names a version which the object has not any more does nothing.
      const verb =
        api.get(ref)?.metadata.resourceVersion === options?.resourceVersion ? 'delete' : 'try to delete';
      return write<boolean>(verb, ref, undefined, () => api.delete(ref, options));
    },
    createToken: () => Promise.reject(new Error('nothing asks for it')),
    async *watch() {},
    async *watchMetadata() {},
    raw: () => Promise.reject(new Error('nothing asks for it')),
    close: () => Promise.resolve(),
  };
  return client;
}

function metadataOf(object: KubernetesObject): PartialObject {
  const { group, version, kind } = gvkOf(object);
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: object.metadata };
}

function carries(labels: Record<string, string> | undefined, selector: string | undefined): boolean {
  return (selector ?? '')
    .split(',')
    .filter((each) => each !== '')
    .every((each) => {
      const [key = '', value] = each.split('=');
      return labels?.[key] === value;
    });
}
