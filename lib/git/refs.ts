/** What a server shows of one ref. */
export interface RemoteRef {
  name: string;
  /** The object the ref names: a commit, or an annotated tag. */
  id: string;
  /** The commit behind it. */
  commit: string;
}

/**
 * Reads the output of `git ls-remote`. Annotated tags come with a second line `<name>^{}` that names their commit.
 * Lines that are no refs are left out.
 */
export function parseRefs(output: string): Map<string, RemoteRef> {
  const refs = new Map<string, RemoteRef>();
  for (const line of output.split('\n')) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/.exec(line);
    if (!match) continue;
    const [, id = '', name = ''] = match;
    if (name.endsWith('^{}')) {
      const ref = refs.get(name.slice(0, -3));
      if (ref) ref.commit = id;
    } else refs.set(name, { name, id, commit: id });
  }
  return refs;
}

/** Whether Git would take this as the full name of a ref. https://git-scm.com/docs/git-check-ref-format */
export function isRefName(name: string): boolean {
  if (name.length > 1_024 || !name.includes('/')) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\.$|^@$|^-/.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
