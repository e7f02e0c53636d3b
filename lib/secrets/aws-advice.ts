import { isUnaccepted } from '../cloud/aws-fault.ts';

/** What AWS calls a secret that is not there. */
const MISSING = new Set(['ResourceNotFoundException', 'ParameterNotFound', 'ParameterVersionNotFound']);

/**
 * Says what to do about a fault of AWS.
 * @param permission the right that is needed
 * @throws Error always
 */
export function advise(error: unknown, permission: string): never {
  const { code = '', message } = error as { code?: string; message: string };
  if (MISSING.has(code))
    throw new Error('there is none of that name in this account and region', { cause: error });
  if (/AccessDenied|UnauthorizedOperation/.test(code))
    throw new Error(`the role of this process lacks the right ${permission} (or kms:Decrypt for its key)`, {
      cause: error,
    });
  if (isUnaccepted(code))
    throw new Error('AWS does not accept the credentials of this process; renew them', { cause: error });
  throw new Error(message, { cause: error });
}
