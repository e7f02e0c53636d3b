const MAX_LENGTH = 300;

/** What an API of Google Cloud or Azure says in `error.message` of a refusal, to be put behind its status; empty when it says nothing. */
export function reasonOf(text: string): string {
  let message: unknown;
  try {
    message = (JSON.parse(text) as { error?: { message?: unknown } } | null)?.error?.message;
  } catch {
    return '';
  }
  if (typeof message !== 'string' || message === '') return '';
  const line = message.replace(/\s+/g, ' ').trim();
  return `: ${line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line}`;
}
