import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { isRoot } from '../toolkit/bootstrap.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { ClusterConnection, Context } from './context.ts';
import { kubeconfigOfParameters } from './kubeconfig-parameters.ts';
import type { ToolkitRef } from './object-key.ts';
import { readSecret } from './read-secret.ts';

/** What finding the target takes; a `Run` has it. */
export interface TargetSeeker {
  client: KubeClient;
  cluster: ClusterConnection;
  ref: ToolkitRef;
  job: { cluster: string };
  ctx: Pick<Context, 'connect' | 'now'>;
}

/** Where a Kustomization is applied, and as whom. */
export interface Target {
  client: KubeClient;
  /** Another cluster than the one the object stands in. */
  remote: boolean;
}

/**
 * The API that a Kustomization's objects are applied to: the cluster itself or that of `spec.kubeConfig`, as the service
 * account it names or the default one of the cluster. Only the root object of the fleet file has the worker's own rights
 * where a default is set.
 */
export async function targetClient(run: TargetSeeker, object: Kustomization): Promise<Target> {
  const base = await clusterOf(run, object);
  const account = accountOf(run, object);
  if (account === undefined) return base;
  const user = `system:serviceaccount:${object.metadata.namespace}:${account}`;
  return { ...base, client: base.client.as(user) };
}

/** The service account in whose name a Kustomization is applied; undefined: with the worker's own rights. */
export function accountOf(
  run: Pick<TargetSeeker, 'cluster' | 'ref'>,
  object: Kustomization,
): string | undefined {
  const { defaultServiceAccount } = run.cluster.config;
  return object.spec.serviceAccountName ?? (isRoot(run.ref) ? undefined : defaultServiceAccount);
}

async function clusterOf(run: TargetSeeker, object: Kustomization): Promise<Target> {
  const { kubeConfig } = object.spec;
  if (kubeConfig === undefined) return { client: run.client, remote: false };
  const namespace = object.metadata.namespace ?? '';
  const { secretRef, configMapRef } = kubeConfig;
  const text =
    secretRef === undefined
      ? await kubeconfigOfParameters(run, namespace, configMapRef?.name ?? '')
      : await kubeconfigOfSecret(run, namespace, secretRef);
  const name = secretRef?.name ?? configMapRef?.name;
  return { client: run.ctx.connect(text, `${run.job.cluster}/${namespace}/${name}`), remote: true };
}

async function kubeconfigOfSecret(
  run: TargetSeeker,
  namespace: string,
  { name, key }: { name: string; key?: string },
): Promise<string> {
  const usedBy = `${describe(run.ref)} spec.kubeConfig`;
  const data = await readSecret(run.client, namespace, name, usedBy, 'ReconciliationFailed');
  const bytes = key === undefined ? (data.value ?? data['value.yaml']) : data[key];
  if (!bytes) {
    throw new ReconcileError(
      'ReconciliationFailed',
      `Secret/${namespace}/${name} has no key ${key ?? "'value' or 'value.yaml'"} with the kubeconfig for ${describe(run.ref)}`,
      { outcome: 'retry' },
    );
  }
  return Buffer.from(bytes).toString('utf8');
}
