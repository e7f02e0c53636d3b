/**
 * How the providers word the commit of a merge: GitHub and Gitea merges, squashes with `(#12)` at the end of the first line, GitLab's
 * trailer, Bitbucket Cloud and Bitbucket Server.
 */
const FORMS: readonly RegExp[] = [
  /^Merge pull request #(\d{1,10})\b/,
  /^Merge pull request '.*' \(#(\d{1,10})\) from /,
  /^Merged in .* \(pull request #(\d{1,10})\)$/,
  /^Pull request #(\d{1,10}):/,
  /\(#(\d{1,10})\)$/,
];
const GITLAB_TRAILER = /^See merge request (?:\S*)!(\d{1,10})$/;

/**
 * The number of the pull request that a commit merged, by its message.
 * @returns undefined when the message tells of none
 */
export function mergedPullRequest(message: string | null | undefined): string | undefined {
  if (!message) return undefined;
  const lines = message.slice(0, 65_536).split(/\r?\n/);
  const subject = (lines[0] ?? '').slice(0, 1_000).trimEnd();
  for (const form of FORMS) {
    const number = form.exec(subject)?.[1];
    if (number) return number;
  }
  for (const line of lines.slice(1)) {
    const number = line.length > 1_000 ? undefined : GITLAB_TRAILER.exec(line.trim())?.[1];
    if (number) return number;
  }
  return undefined;
}
