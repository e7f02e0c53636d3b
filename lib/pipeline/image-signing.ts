import { messageOf, ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { ImageTarget } from './image-target.ts';
import { readSecret } from './read-secret.ts';
import type { Run } from './run.ts';

/** Signs the bytes of a commit: an armoured signature. */
export type Sign = (payload: Uint8Array) => Promise<string>;

/**
 * What signs commits, by `spec.git.commit.signingKey`: a Secret of the automation's namespace with `git.asc` and perhaps `passphrase` for
 * OpenPGP, or `identity` and perhaps `password` for SSH.
 * @returns undefined when commits are not to be signed
 * @throws ReconcileError `GitOperationFailed` naming the Secret and what is missing
 */
export async function commitSigner(run: Run, { git }: ImageTarget): Promise<Sign | undefined> {
  const { signingKey } = git.commit;
  if (!signingKey) return undefined;
  const { name } = signingKey.secretRef;
  const { namespace } = run.ref;
  const usedBy = `${describe(run.ref)} spec.git.commit.signingKey`;
  const data = await readSecret(run.client, namespace, name, usedBy, 'GitOperationFailed');
  const text = (key: string) => Buffer.from(data[key] ?? []).toString('utf8');
  const [keyField, passField] =
    signingKey.type === 'ssh' ? ['identity', 'password'] : ['git.asc', 'passphrase'];
  const [key, passphrase] = [text(keyField ?? ''), text(passField ?? '')];
  if (key.trim() === '') {
    const message = `Secret/${namespace}/${name}, which ${usedBy} names, has no ${keyField} with the private key`;
    throw new ReconcileError('GitOperationFailed', message, { outcome: 'retry' });
  }
  run.secrets.push(key, ...(passphrase === '' ? [] : [passphrase]));
  const sign = signingKey.type === 'ssh' ? run.ctx.git.signWithSsh : run.ctx.git.signWithPgp;
  return async (payload) => {
    try {
      return await sign(payload, { key, passphrase, signal: run.signal });
    } catch (error) {
      run.signal.throwIfAborted();
      const message = `cannot sign with Secret/${namespace}/${name} (${usedBy}): ${messageOf(error)}`;
      throw new ReconcileError('GitOperationFailed', message, { secrets: [key, passphrase], cause: error });
    }
  };
}
