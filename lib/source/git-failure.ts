import { ReconcileError, type ReconcileErrorOptions } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { GitError, type GitFault } from '../git/errors.ts';
import { TarError } from '../tar.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';

/** The Toolkit's reasons; everything that is not listed is `GitOperationFailed`. */
const REASONS: Partial<Record<GitFault, string>> = { url: 'URLInvalid', auth: 'AuthenticationFailed' };

/** Errors that stay as they are until the object itself changes. */
const LASTING: ReadonlySet<GitFault> = new Set(['url']);

/** Names the object in an error of the Git client, and gives it the Toolkit's reason. Other errors are handed back as they are. */
export function asReconcileError(object: GitRepository, error: unknown): unknown {
  if (error instanceof TarError)
    return failure(object, 'GitOperationFailed', error.message, { cause: error });
  if (!(error instanceof GitError)) return error;
  const outcome = LASTING.has(error.fault) ? 'stall' : 'retry';
  return failure(object, REASONS[error.fault] ?? 'GitOperationFailed', error.message, {
    outcome,
    cause: error,
  });
}

/** An error that names the object. */
export function failure(
  object: GitRepository,
  reason: string,
  message: string,
  options: ReconcileErrorOptions = {},
): ReconcileError {
  const name = describe({
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  });
  return new ReconcileError(reason, `${name}: ${message}`, options);
}
