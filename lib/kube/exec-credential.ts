import { run } from '../exec.ts';
import { KubeconfigError } from './kubeconfig-document.ts';

/** The `exec` entry of a kubeconfig user. */
export interface ExecEntry {
  apiVersion?: string;
  command: string;
  args?: string[];
  env?: { name: string; value: string }[];
}

/**
 * The token in what a credential plugin printed.
 * @param name of the cluster, for errors
 * @throws KubeconfigError when it is no ExecCredential with a token; what was printed is not quoted
 * @see https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
 */
export function execToken(name: string, printed: string): string {
  let token: unknown;
  try {
    token = (JSON.parse(printed) as { status?: { token?: unknown } }).status?.token;
  } catch {
    token = undefined;
  }
  if (typeof token === 'string' && token !== '') return token;
  throw new KubeconfigError(
    name,
    'the exec command printed no ExecCredential with a token; client certificates from plugins are not supported',
  );
}

/**
 * Runs a credential plugin and returns its token.
 * @param name of the cluster, for errors
 * @param environment what the plugin gets besides its own `env`
 */
export async function execCredential(
  entry: ExecEntry,
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const apiVersion = entry.apiVersion ?? 'client.authentication.k8s.io/v1';
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const own = Object.fromEntries((entry.env ?? []).map((variable) => [variable.name, variable.value]));
  const { stdout, stderr, code } = await run(entry.command, entry.args ?? [], {
    env: { ...environment, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    maxOutput: 1024 * 1024,
  });
  if (code !== 0) {
    throw new KubeconfigError(
      name,
      `the exec command ${entry.command} failed (${code}): ${stderr.slice(-500)}`,
    );
  }
  return execToken(name, Buffer.from(stdout).toString('utf8'));
}
