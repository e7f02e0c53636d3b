import { type GitObject, parseCommit, parseTag } from '../git/commit.ts';
import type { PgpDependencies } from '../git/pgp-signature.ts';
import { readTrustedKeys, type TrustedKeys, verifyObject } from '../git/verify.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import { failure } from './git-failure.ts';
import type { SourceInputs } from './source.ts';

/** What is to be verified. */
export interface Verifiable {
  commit: string;
  commitBytes: Uint8Array;
  /** The tag by which the commit was found, if it was: its name, and its object where it is an annotated one. */
  tag: { name: string; bytes: Uint8Array | undefined } | undefined;
}

/** Whether `spec.verify` wants the tag's own signature. */
export function verifiesTag(spec: GitRepository['spec']): boolean {
  return spec.verify?.mode === 'Tag' || spec.verify?.mode === 'TagAndHEAD';
}

/**
 * Verifies what `spec.verify` asks for. https://fluxcd.io/flux/components/source/gitrepositories/#verification
 * @returns what was verified and by which keys; undefined when nothing is asked for
 * @throws {ReconcileError} `VerificationError`, `InvalidVerificationMode`, `InvalidGitObject`, `InvalidTagSignature`, `InvalidCommitSignature`
 */
export async function verifySignatures(
  deps: PgpDependencies,
  object: GitRepository,
  inputs: SourceInputs,
  found: Verifiable,
): Promise<string | undefined> {
  const { verify } = object.spec;
  if (!verify) return undefined;
  const keys = await trustedKeys(object, inputs, verify.secretRef.name);
  const verified: string[] = [];

  async function check(what: string, reason: string, parsed: GitObject): Promise<void> {
    try {
      verified.push(`${what} with key '${await verifyObject(deps, parsed, keys, inputs.signal)}'`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw failure(object, reason, `signature verification of ${what} failed: ${message}`, { cause: error });
    }
  }

  if (verifiesTag(object.spec)) {
    if (!found.tag) {
      const message =
        "cannot verify the tag's signature: spec.ref names no tag; set spec.verify.mode to HEAD or spec.ref.tag";
      throw failure(object, 'InvalidVerificationMode', message, { outcome: 'stall' });
    }
    const { name, bytes } = found.tag;
    const parsed = bytes && parseTag(bytes);
    if (!parsed || parsed.signature === '') {
      throw failure(
        object,
        'InvalidGitObject',
        `cannot verify the signature of tag '${name}' since it is not signed`,
      );
    }
    checkTag(object, found.commit, name, parsed);
    await check(`tag '${name}'`, 'InvalidTagSignature', parsed);
  }
  if (verify.mode !== 'Tag') {
    const algorithm = found.commit.length === 64 ? 'sha256' : 'sha1';
    await check(
      `commit '${found.commit}'`,
      'InvalidCommitSignature',
      parseCommit(found.commitBytes, algorithm),
    );
  }
  return `verified signature of ${verified.join(' and of ')}`;
}

/** A signed tag says which commit it is for and what it is called: moved to another place it proves nothing. */
function checkTag(object: GitRepository, commit: string, name: string, tag: GitObject): void {
  const target = tag.headers.get('object');
  if (tag.headers.get('type') !== 'commit' || target !== commit) {
    throw failure(
      object,
      'InvalidGitObject',
      `the tag '${name}' points at ${target}, not at commit ${commit}`,
    );
  }
  if (tag.headers.get('tag') !== name) {
    const message = `the tag object of '${name}' was made for the name '${tag.headers.get('tag')}'`;
    throw failure(object, 'InvalidGitObject', message);
  }
}

async function trustedKeys(object: GitRepository, inputs: SourceInputs, name: string): Promise<TrustedKeys> {
  try {
    return readTrustedKeys(await inputs.secret(name));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw failure(object, 'VerificationError', `the public keys of secret ${name}: ${message}`, {
      cause: error,
    });
  }
}
