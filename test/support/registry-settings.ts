import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { stringify } from 'yaml';

/** Who may use a registry. */
export interface RegistryUser {
  name: string;
  password: string;
}

/** What of its settings differs from registry to registry. */
export interface RegistrySettings {
  /** Folder of everything it reads and writes. */
  directory: string;
  port: number;
  user?: RegistryUser;
  /** Where it sends its notifications. */
  notify?: readonly { url: string; headers?: Readonly<Record<string, string>> }[];
  /** Certificate and key in PEM; with `clientCa`, only clients with a certificate of it are let in. */
  tls?: { certificate: string; key: string; clientCa?: string };
}

/**
 * Text of the registry's settings: data below its folder, nothing that reaches out but its notifications.
 * @see https://distribution.github.io/distribution/about/configuration/
 */
export async function registrySettings(settings: RegistrySettings): Promise<string> {
  const { directory, port, user, notify = [], tls } = settings;
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const auth = user && {
    htpasswd: {
      realm: 'tests',
      path: await file('htpasswd', `${user.name}:${await hash(user.password, 4)}\n`),
    },
  };
  return stringify({
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'data') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    ...(auth ? { auth } : {}),
    http: {
      addr: `127.0.0.1:${port}`,
      secret: 'shared by nobody',
      ...(tls ? { tls: await tlsSettings(tls, file) } : {}),
    },
    notifications: {
      endpoints: notify.map(({ url, headers = {} }, index) => ({
        name: `endpoint-${index}`,
        url,
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
        timeout: '5s',
        threshold: 3,
        backoff: '200ms',
      })),
    },
  });
}

async function tlsSettings(
  { certificate, key, clientCa }: NonNullable<RegistrySettings['tls']>,
  file: (name: string, text: string) => Promise<string>,
) {
  return {
    certificate: await file('tls.crt', certificate),
    key: await file('tls.key', key),
    ...(clientCa === undefined ? {} : { clientcas: [await file('ca.crt', clientCa)] }),
  };
}
