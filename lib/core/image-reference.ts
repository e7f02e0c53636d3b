import { DOCKER_HUB, formatImageName, isTag, parseImageName } from './image-name.ts';

/** The page of Docker Hub, which its webhooks name in place of its registry. */
const DOCKER_HUB_PAGE = 'hub.docker.com';

/** `host/path` of an image, whatever its spelling. @returns undefined when it is no image without tag */
export function canonicalImage(image: string): string | undefined {
  // Only ASCII has a lower case in names of hosts: look-alikes must not become plain letters.
  if (/[^!-~]/.test(image)) return undefined;
  const parsed = parseImageName(image);
  return parsed.ok ? formatImageName(parsed.name) : undefined;
}

/** The canonical name of an image by its path at a registry. @returns undefined when it is none */
export function imageAt(host: string, path: string): string | undefined {
  const registry = host === DOCKER_HUB_PAGE ? DOCKER_HUB : host;
  // What is no host would be read as the owner of an image on Docker Hub.
  return /^(localhost|[^/]*[.:][^/]*)$/.test(registry) ? canonicalImage(`${registry}/${path}`) : undefined;
}

/** The one spelling of a registry's host, with its port. @returns undefined when it is none */
export function canonicalHost(host: string): string | undefined {
  return imageAt(host, 'a/a')?.slice(0, -'/a/a'.length);
}

/** Splits `host/path:tag`, with or without `@digest`. @returns undefined when it is no image with a tag */
export function splitReference(reference: string): { image: string; tag: string } | undefined {
  const plain = reference.split('@', 1)[0] ?? '';
  const colon = plain.lastIndexOf(':');
  if (colon <= plain.lastIndexOf('/')) return undefined;
  const image = canonicalImage(plain.slice(0, colon));
  const tag = plain.slice(colon + 1);
  return image !== undefined && isTag(tag) ? { image, tag } : undefined;
}
