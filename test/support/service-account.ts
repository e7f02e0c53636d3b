import type { Objects } from './kube-objects.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** Makes a service account that may do everything within its namespace, and nothing beyond. */
export async function allowAll(objects: Objects, namespace: string, name: string): Promise<void> {
  const metadata = { name, namespace };
  await objects.create('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await objects.create('roles', {
    apiVersion: `${GROUP}/v1`,
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  });
  await objects.create('rolebindings', {
    apiVersion: `${GROUP}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: GROUP, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
}
