import { ForgeError } from './errors.ts';

/**
 * The parts of a project's path. They come from webhooks, so they are checked before they become part of an API path.
 * @throws ForgeError `rejected` when it is no `owner/name`
 */
export function projectParts(project: string): string[] {
  const parts = project.split('/');
  const odd = parts.length < 2 || parts.some((part) => part === '' || part === '.' || part === '..');
  if (odd) throw new ForgeError('rejected', `"${project}" is no repository of the form owner/name`);
  return parts;
}

/** `owner/name` with both parts fit for a URL's path. */
export function projectPath(project: string): string {
  return projectParts(project)
    .map((part) => encodeURIComponent(part))
    .join('/');
}

/**
 * A commit hash, checked.
 * @throws ForgeError `rejected` when it is no full hash
 */
export function commitPath(commit: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(commit)) return commit.toLowerCase();
  throw new ForgeError('rejected', `"${commit}" is no full commit hash`);
}
