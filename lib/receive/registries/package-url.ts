/**
 * The image reference (`host/path:tag`) that a package URL stands for.
 * @param text such as `pkg:oci/app@sha256:…?repository_url=ghcr.io/acme/app&tag=1.0`
 * @returns undefined when it is no URL of an image with a tag
 * @see https://github.com/package-url/purl-spec
 */
export function referenceOfPackageUrl(text: string): string | undefined {
  const match = /^pkg:(oci|docker)\/([^?#]+)(?:\?([^#]*))?/.exec(text);
  if (!match) return undefined;
  const [, type, path = '', qualifiers = ''] = match;
  const values = new URLSearchParams(qualifiers);
  const at = path.search(/@|%40/i);
  const name = decode(at < 0 ? path : path.slice(0, at));
  const version = at < 0 ? '' : decode(path.slice(at).replace(/^(@|%40)/i, ''));
  const url = (values.get('repository_url') ?? '').replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const tag = values.get('tag') ?? (version.includes(':') ? '' : version);
  if (name === '' || tag === '') return undefined;
  if (type === 'docker') return `${url === '' ? '' : `${url}/`}${name}:${tag}`;
  return url === '' ? undefined : `${url}:${tag}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
