/** Token servers that are known to belong to a registry although they are called otherwise. */
const COMPANIONS: Readonly<Record<string, string>> = {
  'index.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
  'registry.digitalocean.com': 'api.digitalocean.com',
  'registry.connect.redhat.com': 'sso.redhat.com',
};

/**
 * Whether a registry's credentials may be shown to the token server that its answer named: only to the registry's own host, over a
 * connection no less safe, or to a server known to belong to it. A registry that was taken over, or that passes on what
 * others tell it, must not be able to send credentials anywhere.
 * @param registry URL of the registry
 * @param realm URL of the token server
 */
export function mayShowCredentials(registry: URL, realm: URL): boolean {
  if (realm.protocol !== 'https:' && realm.origin !== registry.origin) return false;
  return realm.hostname === registry.hostname || realm.host === COMPANIONS[registry.host];
}
