/** What a commit or tag object says, with its signature taken apart. */
export interface GitObject {
  /** Headers by name; the first of each. */
  headers: ReadonlyMap<string, string>;
  message: string;
  /** ASCII armoured; empty when there is none. */
  signature: string;
  /** The object's bytes without the signature: what was signed. */
  payload: Buffer;
}

const TAG_SIGNATURE = /^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m;

/**
 * Takes a commit apart. Its signature stands in a header `gpgsig` (`gpgsig-sha256` in SHA-256 repositories) whose further lines are
 * indented by a space. https://git-scm.com/docs/gitformat-signature
 */
export function parseCommit(bytes: Uint8Array, algorithm: 'sha1' | 'sha256' = 'sha1'): GitObject {
  const text = latin1(bytes);
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const headers = new Map<string, string>();
  const kept: string[] = [];
  const own = algorithm === 'sha256' ? 'gpgsig-sha256' : 'gpgsig';
  let name = '';
  for (const line of head.split('\n')) {
    const continued = line.startsWith(' ');
    if (!continued) name = line.split(' ', 1)[0] ?? '';
    // Git leaves the signatures of both algorithms out of what it signs.
    if (name !== 'gpgsig' && name !== 'gpgsig-sha256') kept.push(line);
    const value = continued ? line.slice(1) : utf8(line.slice(name.length + 1));
    const before = headers.get(name);
    // A second signature is kept beside the first, so that whoever verifies sees that there are two.
    if (before === undefined) headers.set(name, value);
    else if (continued || name === own) headers.set(name, `${before}\n${value}`);
  }
  const rest = end < 0 ? '' : text.slice(end);
  return {
    headers,
    message: utf8(rest.slice(2)),
    signature: headers.get(own) ?? '',
    payload: Buffer.from(kept.join('\n') + rest, 'latin1'),
  };
}

/** Takes an annotated tag apart. Its signature stands at the end of its message. */
export function parseTag(bytes: Uint8Array): GitObject {
  const text = latin1(bytes);
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const headers = new Map(
    head.split('\n').map((line): [string, string] => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), utf8(line.slice(space + 1))];
    }),
  );
  const message = end < 0 ? '' : text.slice(end + 2);
  const start = TAG_SIGNATURE.exec(message)?.index ?? message.length;
  return {
    headers,
    message: utf8(message.slice(0, start)),
    signature: message.slice(start),
    payload: Buffer.from(text.slice(0, text.length - (message.length - start)), 'latin1'),
  };
}

/** `Ada <ada@example.com>` of a header `Ada <ada@example.com> 1700000000 +0000`. */
export function personOf(header: string | undefined): string {
  return (header ?? '').replace(/>[^>]*$/, '>');
}

/** Bytes as they are, one character each. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
