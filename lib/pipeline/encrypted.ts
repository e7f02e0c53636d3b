import type { KubernetesObject } from '../core/object.ts';
import { identityOf, refOf } from '../core/object.ts';

/** A value that SOPS encrypted. https://getsops.io/docs/#encryption-protocol */
const CIPHERTEXT = /ENC\[AES256_GCM,/;

/** What stands in place of an encrypted value; the same text that the flux CLI prints. */
export const SOPS_MASK = '**SOPS**';

/** Whether an object, or an entry of a Secret, is encrypted with SOPS. */
export function isEncrypted(object: KubernetesObject): boolean {
  return maskEncrypted(object) !== object;
}

/**
 * The object with its encrypted values masked and without what SOPS keeps beside them, which would not be applied either.
 * @returns the same object when nothing in it is encrypted
 */
export function maskEncrypted(object: KubernetesObject): KubernetesObject {
  const masked = maskEntries(object);
  const { sops, ...rest } = masked as KubernetesObject & { sops?: { mac?: unknown } };
  const encrypted = sops !== null && typeof sops === 'object' && sops.mac !== undefined;
  return maskTree(
    encrypted ? (rest as KubernetesObject) : masked,
    object.kind === 'Secret',
  ) as KubernetesObject;
}

/** Entries of a Secret made from an encrypted file hold that file, metadata and all. */
function maskEntries(object: KubernetesObject): KubernetesObject {
  const { data } = object as { data?: unknown };
  if (object.kind !== 'Secret' || data === null || typeof data !== 'object') return object;
  let changed = false;
  const entries = Object.entries(data).flatMap(([key, value]) => {
    const text = typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
    if (!CIPHERTEXT.test(text) && !isMetadata(key, data)) return [[key, value]];
    changed = true;
    return isMetadata(key, data) ? [] : [[key, base64(SOPS_MASK)]];
  });
  return changed ? { ...object, data: Object.fromEntries(entries) } : object;
}

/** What SOPS adds to a file of variables. */
function isMetadata(key: string, data: object): boolean {
  return key.startsWith('sops_') && Object.hasOwn(data, 'sops_mac');
}

function maskTree(value: unknown, secret: boolean, path = ''): unknown {
  if (typeof value === 'string') {
    if (!CIPHERTEXT.test(value)) return value;
    return secret && path.startsWith('.data.') ? base64(SOPS_MASK) : SOPS_MASK;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => maskTree(item, secret, `${path}[]`));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  const masked = entries.map(([key, member]) => [key, maskTree(member, secret, `${path}.${key}`)] as const);
  return masked.some(([, member], index) => member !== entries[index]?.[1])
    ? Object.fromEntries(masked)
    : value;
}

/**
 * The texts that decryption brought to light, so that they can be kept out of what is shown.
 * @param locked the same objects as `open`, rendered without keys
 */
export function encryptedTexts(
  locked: readonly KubernetesObject[],
  open: readonly KubernetesObject[],
): string[] {
  const byIdentity = new Map(locked.map((object) => [identityOf(refOf(object)), object]));
  const texts: string[] = [];
  for (const object of open) collect(byIdentity.get(identityOf(refOf(object))), object, texts);
  return [...new Set(texts)];
}

function collect(locked: unknown, open: unknown, texts: string[]): void {
  if (typeof locked === 'string') {
    if (CIPHERTEXT.test(locked)) texts.push(String(open));
  } else if (Array.isArray(locked) && Array.isArray(open)) {
    for (const [index, item] of open.entries()) collect(locked[index], item, texts);
  } else if (isRecord(locked) && isRecord(open)) {
    for (const [key, member] of Object.entries(open)) collect(locked[key], member, texts);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
