import type { CloudName } from '../cloud/registry-login.ts';
import type { TlsOptions } from '../connector.ts';
import { messageOf, ReconcileError } from '../core/errors.ts';
import type { ImageName } from '../core/image-name.ts';
import { parseImageName } from '../core/image-name.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe, refOf } from '../core/object.ts';
import { type CredentialEntry, parseDockerConfig } from '../oci/docker-config.ts';
import type { RemoteImage } from '../oci/registries.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { secretOf } from '../oci/token.ts';
import type { SecretData } from '../source/source.ts';
import { type ImageRepository, scanTimeoutOf } from '../toolkit/image-repository.ts';
import { readSecret } from './read-secret.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';

/** A registry that answers slowly must not keep a worker from everybody else for longer, in ms. */
const MOST_TIME_MS = 600_000;

interface ServiceAccount extends KubernetesObject {
  imagePullSecrets?: { name?: string }[];
}

/**
 * The image that an ImageRepository names.
 * @throws ReconcileError `ImageURLInvalid` (stall)
 */
export function imageNameOf(repository: ImageRepository): ImageName {
  const parsed = parseImageName(repository.spec.image);
  if (parsed.ok) return parsed.name;
  throw new ReconcileError('ImageURLInvalid', parsed.problem, { outcome: 'stall' });
}

/**
 * Does something with the image of an ImageRepository, opened with the credentials that it names in its own namespace. All that is asked of
 * the registry ends after `spec.timeout`, and after ten minutes at the latest.
 * @throws ReconcileError `AuthenticationFailed`; and what the work throws
 */
export async function withImage<T>(
  run: Run,
  repository: ImageRepository,
  work: (image: RemoteImage) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.timeout: one that only another signal refers to may be collected before its time is up.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(scanTimeoutOf(repository), MOST_TIME_MS));
  try {
    const signal = AbortSignal.any([run.signal, deadline.signal]);
    const image = await step(run, 'credentials', () => openImage(run, repository, signal));
    return await work(image);
  } finally {
    clearTimeout(timer);
  }
}

async function openImage(run: Run, repository: ImageRepository, signal: AbortSignal): Promise<RemoteImage> {
  const image = imageNameOf(repository);
  const { spec } = repository;
  try {
    const credentials =
      spec.provider === 'generic'
        ? await credentialsOf(run, repository)
        : [await cloudLogin(run, repository, spec.provider, image.registry, signal)];
    const tls = spec.certSecretRef && (await tlsOf(run, repository, spec.certSecretRef.name));
    const proxy = spec.proxySecretRef && (await proxyOf(run, repository, spec.proxySecretRef.name));
    return run.ctx.registries.open(image, {
      credentials,
      insecure: spec.insecure === true,
      ...(tls === undefined ? {} : { tls }),
      ...(proxy === undefined ? {} : { proxy }),
      signal,
    });
  } catch (error) {
    throw error instanceof RegistryError ? failure(error.message, 'retry') : error;
  }
}

/** A login with the identity of this process, where the operator lets the cluster's objects use that. */
async function cloudLogin(
  run: Run,
  { spec }: ImageRepository,
  cloud: CloudName,
  host: string,
  signal: AbortSignal,
): Promise<CredentialEntry> {
  const { config } = run.cluster;
  if (spec.serviceAccountName !== undefined)
    throw failure(
      `spec.provider ${cloud} with spec.serviceAccountName asks for the identity of ServiceAccount/${spec.serviceAccountName}, which Slipway does not ` +
        `take on; remove spec.serviceAccountName to use Slipway's own identity, or spec.provider to use the account's pull secrets`,
      'stall',
    );
  if (!config.registryIdentities.includes(cloud))
    throw failure(
      `cluster ${config.name} lets no ImageRepository use the identity of ${cloud}; name a Secret with credentials in spec.secretRef, ` +
        `or have ${cloud} added to registryIdentities of the cluster in slipway.yaml`,
      'stall',
    );
  try {
    if (!run.ctx.registryLogins) throw new Error('this process has no identity of a cloud');
    const { username, password } = await run.ctx.registryLogins.login(cloud, host, signal);
    run.secrets.push(password);
    return { pattern: host, credential: { type: 'basic', username, password } };
  } catch (error) {
    throw failure(messageOf(error));
  }
}

/** Those of `spec.secretRef`, and of the pull secrets of `spec.serviceAccountName`. */
async function credentialsOf(run: Run, repository: ImageRepository): Promise<CredentialEntry[]> {
  const { secretRef, serviceAccountName } = repository.spec;
  const namespace = repository.metadata.namespace ?? '';
  const names = secretRef === undefined ? [] : [secretRef.name];
  if (serviceAccountName !== undefined) {
    const account = await run.client.get<ServiceAccount>({
      group: '',
      version: 'v1',
      kind: 'ServiceAccount',
      namespace,
      name: serviceAccountName,
    });
    if (!account)
      throw failure(
        `ServiceAccount/${namespace}/${serviceAccountName}, which spec.serviceAccountName names, does not exist; create it`,
      );
    names.push(...(account.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []));
  }
  const entries: CredentialEntry[] = [];
  for (const name of new Set(names)) {
    const data = await secret(run, repository, name, 'its credentials');
    entries.push(...parseDockerConfig(data, `Secret/${namespace}/${name}`));
  }
  run.secrets.push(...entries.map(({ credential }) => secretOf(credential)));
  return entries;
}

async function tlsOf(run: Run, repository: ImageRepository, name: string): Promise<TlsOptions> {
  const data = await secret(run, repository, name, 'spec.certSecretRef');
  const ca = text(data, 'ca.crt') || text(data, 'caFile');
  const certificate = text(data, 'tls.crt') || text(data, 'certFile');
  const key = text(data, 'tls.key') || text(data, 'keyFile');
  const where = `Secret/${repository.metadata.namespace}/${name}, which spec.certSecretRef names,`;
  if ((certificate === '') !== (key === ''))
    throw failure(`${where} has only one of tls.crt and tls.key; a client certificate needs both`);
  if (ca === '' && certificate === '')
    throw failure(`${where} has neither ca.crt nor tls.crt and tls.key; add what the registry needs`);
  run.secrets.push(key);
  return {
    ...(ca === '' ? {} : { ca }),
    ...(certificate === '' ? {} : { client: { certificate, key } }),
  };
}

async function proxyOf(run: Run, repository: ImageRepository, name: string): Promise<string> {
  const data = await secret(run, repository, name, 'spec.proxySecretRef');
  const address = text(data, 'address');
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw failure(
      `Secret/${repository.metadata.namespace}/${name}, which spec.proxySecretRef names, needs an address such as http://proxy.example.com:3128`,
    );
  const proxy = new URL(address);
  if (text(data, 'username') !== '') proxy.username = encodeURIComponent(text(data, 'username'));
  if (text(data, 'password') !== '') proxy.password = encodeURIComponent(text(data, 'password'));
  run.secrets.push(text(data, 'password'));
  return proxy.href;
}

function secret(run: Run, repository: ImageRepository, name: string, what: string): Promise<SecretData> {
  const namespace = repository.metadata.namespace ?? '';
  const usedBy = `${describe(refOf(repository as KubernetesObject))} (${what})`;
  return readSecret(run.client, namespace, name, usedBy, 'AuthenticationFailed');
}

function text(data: SecretData, key: string): string {
  return Buffer.from(data[key] ?? [])
    .toString('utf8')
    .trim();
}

function failure(message: string, outcome: 'retry' | 'stall' = 'retry'): ReconcileError {
  return new ReconcileError(
    'AuthenticationFailed',
    `failed to configure authentication options: ${message}`,
    { outcome },
  );
}
