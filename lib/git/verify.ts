import type { GitObject } from './commit.ts';
import { type PgpDependencies, verifyPgpSignature } from './pgp-signature.ts';
import { parseAuthorizedKeys, type SshPublicKey, verifySshSignature } from './ssh-signature.ts';

/** The keys that a Secret of `spec.verify` trusts. */
export interface TrustedKeys {
  pgp: string[];
  ssh: SshPublicKey[];
}

/**
 * Reads them: SSH keys under names ending in `.sshpub`, OpenPGP keys under all others.
 * @throws {Error} when an SSH key cannot be read
 */
export function readTrustedKeys(data: Readonly<Record<string, Uint8Array>>): TrustedKeys {
  const keys: TrustedKeys = { pgp: [], ssh: [] };
  for (const [name, value] of Object.entries(data)) {
    const text = Buffer.from(value).toString('utf8');
    if (name.endsWith('.sshpub')) keys.ssh.push(...parseAuthorizedKeys(text));
    else keys.pgp.push(text);
  }
  return keys;
}

/**
 * Verifies the signature of a commit or tag.
 * @returns what names the key: an OpenPGP key id, or an SSH fingerprint
 * @throws {Error} why it does not hold
 */
export async function verifyObject(
  deps: PgpDependencies,
  object: GitObject,
  keys: TrustedKeys,
  signal: AbortSignal,
): Promise<string> {
  const { signature, payload } = object;
  if (signature.trim() === '') throw new Error('it is not signed');
  if (/^-----BEGIN SSH SIGNATURE-----/.test(signature)) {
    if (keys.ssh.length === 0)
      throw new Error('it has an SSH signature, and the secret holds no key named *.sshpub');
    return verifySshSignature(signature, payload, keys.ssh);
  }
  if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(signature)) {
    return verifyPgpSignature(deps, signature, payload, keys.pgp, signal);
  }
  throw new Error('its signature is neither OpenPGP nor SSH');
}
