import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { KubeConnection } from './connection.ts';
import { type ExecEntry, execCredential } from './exec-credential.ts';
import {
  type AuthInfo,
  type ClusterInfo,
  type Kubeconfig,
  KubeconfigError,
  pick,
} from './kubeconfig-document.ts';

/** What a kubeconfig may make this machine do; everything is refused unless the operator allowed it for the cluster. */
export interface KubeconfigOptions {
  /** Names the cluster in errors. */
  name: string;
  /** Default: the file's `current-context`. */
  context?: string;
  /** Run the command of an `exec` entry. Default: false. */
  allowExec?: boolean;
  /** Read certificates, keys and tokens from the files it names. Default: false. */
  allowFiles?: boolean;
  /** Accept any certificate of the server, or talk to it without TLS. Default: false. */
  allowInsecure?: boolean;
  /** Reads a file that the kubeconfig names. Default: from the file system. */
  readFile?: (path: string) => string;
  /** The environment of a credential plugin besides its own `env`, such as HOME. Default: none. */
  execEnvironment?: Readonly<Record<string, string>>;
}

/** A kubeconfig of real clusters has a few KiB, with certificates some tens. */
const MAX_SIZE = 1024 * 1024;

/**
 * Reads the connection of one context. Whatever would run a program, read a file, go through another host or trust anybody
 * is refused unless allowed, since a kubeconfig may come from a Secret that a tenant wrote.
 * @param text YAML or JSON
 * @throws KubeconfigError naming the cluster, the field and what to do; it never quotes a value
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function loadKubeconfig(text: string, options: KubeconfigOptions): KubeConnection {
  const config = parse(text, options.name);
  const { cluster, user } = pick(config, options);
  const connection: KubeConnection = { server: serverOf(cluster, options) };
  applyCluster(cluster, connection, options);
  applyUser(user, connection, options);
  return connection;
}

/**
 * The server and authority of one context, for a credential from elsewhere. What its user would run or read is neither run nor read.
 * @returns hasCredential whether the user brings a credential of its own
 * @throws KubeconfigError as {@link loadKubeconfig}
 */
export function loadKubeconfigServer(
  text: string,
  options: KubeconfigOptions,
): { connection: KubeConnection; hasCredential: boolean } {
  const { cluster, user } = pick(parse(text, options.name), options);
  const connection: KubeConnection = { server: serverOf(cluster, options) };
  applyCluster(cluster, connection, options);
  return { connection, hasCredential: isSet(user.token) || isSet(user['client-certificate-data']) };
}

function parse(text: string, name: string): Kubeconfig {
  if (text.length > MAX_SIZE) throw new KubeconfigError(name, 'the kubeconfig is larger than 1 MiB');
  const document = parseDocument(text, { logLevel: 'silent' });
  const error = document.errors[0];
  // The message of a YAML error quotes the text around it, which may be a token.
  if (error) {
    const line = error.linePos?.[0].line;
    throw new KubeconfigError(
      name,
      `the kubeconfig is not valid YAML${line ? ` (line ${line}, ${error.code})` : ''}`,
    );
  }
  let config: unknown;
  try {
    config = document.toJS({ maxAliasCount: 10 });
  } catch {
    throw new KubeconfigError(name, 'the kubeconfig has too many YAML aliases');
  }
  if (config === null || typeof config !== 'object' || Array.isArray(config)) {
    throw new KubeconfigError(name, 'the kubeconfig is not a mapping of clusters, users and contexts');
  }
  return config as Kubeconfig;
}

function serverOf(cluster: ClusterInfo, { name, allowInsecure }: KubeconfigOptions): string {
  const server = cluster.server;
  if (typeof server !== 'string' || !URL.canParse(server)) {
    throw new KubeconfigError(name, 'the cluster has no server; set it to the URL of the API server');
  }
  const url = new URL(server);
  if (url.username !== '' || url.password !== '') {
    throw new KubeconfigError(name, 'the server must not hold credentials; put them into the user');
  }
  if (url.protocol === 'http:' && !allowInsecure) {
    throw new KubeconfigError(
      name,
      'the server uses http, so the credential would travel in the clear; use https, or allow.insecure if you mean it',
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new KubeconfigError(name, `the server uses ${url.protocol} where https is needed`);
  }
  return server;
}

function applyCluster(cluster: ClusterInfo, connection: KubeConnection, options: KubeconfigOptions): void {
  if (isSet(cluster['proxy-url'])) {
    throw new KubeconfigError(
      options.name,
      'proxy-url is not supported, since the credential would pass through that host; reach the server directly',
    );
  }
  const ca = pemOf(cluster, 'certificate-authority', options);
  if (cluster['insecure-skip-tls-verify'] === true) {
    if (!options.allowInsecure) {
      throw new KubeconfigError(
        options.name,
        'insecure-skip-tls-verify would trust anybody; give certificate-authority-data, or allow.insecure if you mean it',
      );
    }
    connection.insecureSkipTlsVerify = true;
  }
  if (ca !== undefined) connection.caData = ca;
  const serverName = cluster['tls-server-name'];
  if (typeof serverName === 'string' && serverName !== '') connection.tlsServerName = serverName;
}

function applyUser(user: AuthInfo, connection: KubeConnection, options: KubeconfigOptions): void {
  const { name } = options;
  if (isSet(user['auth-provider'])) {
    throw new KubeconfigError(
      name,
      'auth-provider is no longer part of Kubernetes; make a service account for this cluster with `slipway cluster add`',
    );
  }
  if (isSet(user.username) || isSet(user.password)) {
    throw new KubeconfigError(
      name,
      'username and password are not supported; use a token or a client certificate',
    );
  }
  for (const field of ['as', 'as-uid', 'as-groups', 'as-user-extra'] as const) {
    if (isSet(user[field])) {
      throw new KubeconfigError(name, `${field} is not supported; give the credential of that user itself`);
    }
  }
  const cert = pemOf(user, 'client-certificate', options);
  const key = pemOf(user, 'client-key', options);
  if ((cert === undefined) !== (key === undefined)) {
    throw new KubeconfigError(name, 'client-certificate-data and client-key-data must be given together');
  }
  if (cert !== undefined) connection.certData = cert;
  if (key !== undefined) connection.keyData = key;
  applyToken(user, connection, options);
  if (!connection.token && !connection.tokenSource && !cert) {
    throw new KubeconfigError(name, 'the user has no credential; give a token or a client certificate');
  }
}

function applyToken(user: AuthInfo, connection: KubeConnection, options: KubeconfigOptions): void {
  const { name } = options;
  const { tokenFile, token, exec } = user;
  if (typeof tokenFile === 'string' && tokenFile !== '') {
    if (!options.allowFiles) throw new KubeconfigError(name, fileRefused('tokenFile', 'token'));
    // Read again when it is refused: such tokens are rotated in place.
    connection.tokenSource = async () => read(tokenFile, options).trim();
  } else if (typeof token === 'string' && token !== '') {
    if (/[^\x21-\x7e]/.test(token.trim()))
      throw new KubeconfigError(name, 'the token holds characters that no token has');
    connection.token = token.trim();
  }
  if (!isSet(exec)) return;
  if (!options.allowExec) {
    throw new KubeconfigError(
      name,
      'exec would run a program on this machine; make a service account for this cluster with `slipway cluster add`, or allow.exec if you mean it',
    );
  }
  const entry = exec as ExecEntry;
  connection.tokenSource = () => execCredential(entry, name, options.execEnvironment ?? {});
}

function pemOf<F extends 'certificate-authority' | 'client-certificate' | 'client-key'>(
  from: Record<string, unknown>,
  field: F,
  options: KubeconfigOptions,
): string | undefined {
  const { name } = options;
  const data = from[`${field}-data`];
  const file = from[field];
  if (isSet(data)) {
    const pem = typeof data === 'string' ? Buffer.from(data, 'base64').toString('utf8') : '';
    if (!pem.includes('-----BEGIN ')) {
      throw new KubeconfigError(name, `${field}-data is not base64 of a PEM text`);
    }
    return pem;
  }
  if (!isSet(file)) return undefined;
  if (!options.allowFiles || typeof file !== 'string') {
    throw new KubeconfigError(name, fileRefused(field, `${field}-data`));
  }
  return read(file, options);
}

function read(path: string, { name, readFile }: KubeconfigOptions): string {
  try {
    return readFile ? readFile(path) : readFileSync(path, 'utf8');
  } catch (error) {
    throw new KubeconfigError(name, `cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function fileRefused(field: string, instead: string): string {
  return `${field} would read a file of this machine; put its content into ${instead} (kubectl config view --flatten), or allow.files if you mean it`;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
