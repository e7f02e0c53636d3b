import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** A trusted SSH key. */
export interface SshPublicKey {
  /** The key in SSH's own encoding. */
  blob: Buffer;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  fingerprint: string;
}

const ARMOUR = /^\s*-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/;
const HASHES: ReadonlySet<string> = new Set(['sha256', 'sha512']);
const CURVES: Readonly<Record<string, { name: string; size: number; hash: string }>> = {
  nistp256: { name: 'P-256', size: 32, hash: 'sha256' },
  nistp384: { name: 'P-384', size: 48, hash: 'sha384' },
  nistp521: { name: 'P-521', size: 66, hash: 'sha512' },
};
const MIN_RSA_BITS = 2_048;

/**
 * Reads keys in the form of `authorized_keys` or `*.pub` files: one a line, options and comments allowed.
 * @throws {Error} naming the first line that is no key
 */
export function parseAuthorizedKeys(text: string): SshPublicKey[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseKeyLine);
}

function parseKeyLine(line: string): SshPublicKey {
  const match = /(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(line);
  const blob = Buffer.from(match?.[2] ?? '', 'base64');
  if (!match || blob.length < 8 || new Reader(blob).text() !== match[1]) {
    throw new Error(`${JSON.stringify(line.slice(0, 40))} is no SSH public key`);
  }
  return { blob, fingerprint: fingerprintOf(blob) };
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Verifies a signature as `ssh-keygen -Y sign -n git` makes it.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
 * @returns the fingerprint of the key that made it
 * @throws {Error} why it does not hold
 */
export function verifySshSignature(
  signature: string,
  payload: Uint8Array,
  trusted: readonly SshPublicKey[],
): string {
  const armoured = ARMOUR.exec(signature)?.[1];
  if (armoured === undefined) throw new Error('it is no SSH signature');
  const reader = new Reader(Buffer.from(armoured, 'base64'));
  if (reader.bytes(6).toString('latin1') !== 'SSHSIG' || reader.uint32() !== 1)
    throw new Error('it is no SSH signature');
  const blob = reader.string();
  const namespace = reader.text();
  const reserved = reader.string();
  const hash = reader.text();
  const made = reader.string();
  if (!reader.done) throw new Error('it has trailing bytes');
  if (namespace !== 'git') throw new Error(`it was made for ${JSON.stringify(namespace)}, not for git`);
  if (!HASHES.has(hash)) throw new Error(`its hash ${JSON.stringify(hash)} is not supported`);
  const key = trusted.find((candidate) => same(candidate.blob, blob));
  if (!key) throw new Error(`it was made by ${fingerprintOf(blob)}, which is not among the trusted keys`);
  const signed = Buffer.concat([
    Buffer.from('SSHSIG'),
    ...[Buffer.from(namespace), reserved, Buffer.from(hash), createHash(hash).update(payload).digest()].map(
      frame,
    ),
  ]);
  if (!verifyRaw(blob, made, signed)) throw new Error('it does not fit what was signed');
  return key.fingerprint;
}

function verifyRaw(blob: Buffer, made: Buffer, signed: Buffer): boolean {
  const key = new Reader(blob);
  const type = key.text();
  const signature = new Reader(made);
  const algorithm = signature.text();
  const value = signature.string();
  switch (type) {
    case 'ssh-ed25519':
      return algorithm === type && verify(null, signed, ed25519(key.string()), value);
    case 'ssh-rsa':
      return verifyRsa(key, algorithm, signed, value);
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return algorithm === type && verifyEcdsa(key, signed, value);
    case 'sk-ssh-ed25519@openssh.com': {
      const point = key.string();
      return algorithm === type && verify(null, touched(key, signature, signed), ed25519(point), value);
    }
    case 'sk-ecdsa-sha2-nistp256@openssh.com': {
      const { curve, point } = readPoint(key);
      return algorithm === type && verifyPoint(curve, point, touched(key, signature, signed), value);
    }
    default:
      throw new Error(`keys of type ${type} are not supported`);
  }
}

function verifyRsa(key: Reader, algorithm: string, signed: Buffer, value: Buffer): boolean {
  const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
  if (hash === undefined) throw new Error(`RSA signatures of type ${algorithm} are not accepted`);
  const [e, n] = [key.integer(), key.integer()];
  if (n.length * 8 < MIN_RSA_BITS) throw new Error(`RSA keys under ${MIN_RSA_BITS} bits are not accepted`);
  return verify(hash, signed, fromJwk({ kty: 'RSA', n: base64url(n), e: base64url(e) }), value);
}

function verifyEcdsa(key: Reader, signed: Buffer, value: Buffer): boolean {
  const { curve, point } = readPoint(key);
  return verifyPoint(curve, point, signed, value);
}

function readPoint(key: Reader): { curve: string; point: Buffer } {
  return { curve: key.text(), point: key.string() };
}

function verifyPoint(curveName: string, point: Buffer, signed: Buffer, value: Buffer): boolean {
  const curve = CURVES[curveName];
  if (!curve || point[0] !== 4 || point.length !== 1 + 2 * curve.size)
    throw new Error('its key is malformed');
  const [x, y] = [point.subarray(1, 1 + curve.size), point.subarray(1 + curve.size)];
  const parts = new Reader(value);
  const [r, s] = [parts.integer(), parts.integer()];
  if (r.length > curve.size || s.length > curve.size) return false;
  const pair = Buffer.concat(
    [r, s].map((part) => Buffer.concat([Buffer.alloc(curve.size - part.length), part])),
  );
  const jwk = { kty: 'EC', crv: curve.name, x: base64url(x), y: base64url(y) };
  return verify(curve.hash, signed, { key: fromJwk(jwk), dsaEncoding: 'ieee-p1363' }, pair);
}

/** Security keys sign a digest together with their flags and counter; the user must have touched them. */
function touched(key: Reader, signature: Reader, signed: Buffer): Buffer {
  const application = key.string();
  const flags = signature.bytes(1);
  const counter = signature.bytes(4);
  if (((flags[0] ?? 0) & 1) === 0) throw new Error('the security key was not touched');
  const digest = (data: Buffer) => createHash('sha256').update(data).digest();
  return Buffer.concat([digest(application), flags, counter, digest(signed)]);
}

function ed25519(point: Buffer): KeyObject {
  return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: base64url(point) });
}

function fromJwk(key: Record<string, string>): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function frame(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Reads SSH's encoding: https://www.rfc-editor.org/rfc/rfc4251#section-5 */
class Reader {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get done(): boolean {
    return this.#rest.length === 0;
  }

  bytes(length: number): Buffer {
    if (length > this.#rest.length) throw new Error('it is cut off');
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  text(): string {
    return this.string().toString('latin1');
  }

  /** A positive number without its leading zeros. */
  integer(): Buffer {
    const bytes = this.string();
    const start = bytes.findIndex((byte) => byte !== 0);
    return start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  }
}
