import { AwsError } from '../../lib/cloud/aws-fault.ts';
import { messageOf } from '../../lib/core/errors.ts';
import type { Environment } from './environment.ts';

/** Names of AWS's errors for a table and a queue that do not exist. */
const MISSING = /ResourceNotFoundException|NonExistentQueue|QueueDoesNotExist/;

/**
 * What somebody asks of an installation.
 * @throws Error where there is none, saying what to look at; else the reason of the work
 */
export async function orNotThere<T>({ table, queues }: Environment, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Error(
      `no installation is at table ${table} and queues ${queues}…: is it deployed ("slipway deploy"), and are these the credentials of its account? ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function isMissing(error: unknown): boolean {
  if (error instanceof AwsError) return MISSING.test(error.code);
  return error instanceof Error && error.cause !== undefined && isMissing(error.cause);
}
