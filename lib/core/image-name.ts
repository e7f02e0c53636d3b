import { asciiLowerCase } from './ascii.ts';

/** The name of an image in a registry, without tag and digest. */
export interface ImageName {
  /** Host, with its port where one is given, in lower case. Docker Hub is `index.docker.io`. */
  registry: string;
  /** Path within the registry, such as `owner/app`. */
  repository: string;
}

/** A parsed name, or what is wrong with the text. */
export type ParsedImageName = { ok: true; name: ImageName } | { ok: false; problem: string };

/** Docker Hub, whose name is left out where an image names no registry. */
export const DOCKER_HUB = 'index.docker.io';

/** Other names of Docker Hub. */
const DOCKER_HUB_NAMES = new Set(['docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

const MAX_LENGTH = 255;
const HOST =
  /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::\d{1,5})?$/;
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/**
 * Parses the name of an image as users write it: `alpine`, `owner/app`, `ghcr.io/owner/app`, `registry:5000/app`. The first part is a
 * registry when it holds a dot or a colon or is `localhost`.
 */
export function parseImageName(text: string): ParsedImageName {
  const refuse = (problem: string): ParsedImageName => ({ ok: false, problem });
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined)
    return refuse(`image '${text}' should not include URL scheme; remove '${scheme}://'`);
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const namesRegistry = first === 'localhost' || /[.:]/.test(first);
  const host = namesRegistry ? asciiLowerCase(first) : DOCKER_HUB;
  const path = namesRegistry ? text.slice(slash + 1) : text;
  const tag = /[:@].*$/s.exec(path)?.[0];
  if (tag !== undefined) return refuse(`image '${text}' should not include a tag; remove '${tag}'`);
  if (!HOST.test(host)) return refuse(`image '${text}' names no valid registry: '${first}'`);
  const registry = DOCKER_HUB_NAMES.has(host) ? DOCKER_HUB : host;
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path;
  if (path === '' || !REPOSITORY.test(repository) || repository.length > MAX_LENGTH)
    return refuse(
      `image '${text}' names no valid repository: lower-case letters, digits and single separators (. _ - /) are allowed`,
    );
  return { ok: true, name: { registry, repository } };
}

/** `registry/repository`: the name under which an image is known whatever the spelling. */
export function formatImageName({ registry, repository }: ImageName): string {
  return `${registry}/${repository}`;
}

/** A tag as registries allow it. */
export function isTag(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);
}
