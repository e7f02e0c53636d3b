import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import { isConflict, KubeError } from '../kube/errors.ts';
import { ABSENT, assess, type Decision, expecting, foreignFields } from './assess.ts';
import type { PatchOperation } from './managed-fields.ts';
import { removeForRecreation } from './recreate.ts';
import { beforeWrite, type Candidate, note, type Run, remember } from './run.ts';

/** So often an object may change under our hands before it is left to the next run. */
const ATTEMPTS = 5;

/**
 * Does what was decided and notes it. Every write says what it expects to meet; when that is no longer so, the lease is checked
 * again and the object looked at afresh.
 * @throws KubeError when the server refuses; ReconcileError when the object never holds still
 */
export async function carryOut(run: Run, candidate: Candidate, decision: Decision): Promise<void> {
  let current = decision;
  for (let attempt = 1; ; attempt++) {
    try {
      await carryOutOnce(run, candidate, current);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt >= ATTEMPTS) {
        throw new ReconcileError(
          'ReconciliationFailed',
          `${describe(candidate.ref)} was changed by somebody else ${ATTEMPTS} times while it was applied`,
          { cause: error },
        );
      }
      await beforeWrite(run);
      current = await assess(run, candidate);
    }
  }
}

async function carryOutOnce(run: Run, candidate: Candidate, decision: Decision): Promise<void> {
  switch (decision.kind) {
    case 'skipped':
      if (decision.terminating) run.result.terminating.push(candidate.ref);
      // By that another owner that lets it go is told that it stays here.
      if (decision.isAccepted && decision.live) remember(run, candidate, decision.live);
      note(run, candidate, 'skipped', decision.detail, decision.live, decision.keptBy);
      return;
    case 'unchanged':
      remember(run, candidate, decision.live);
      note(run, candidate, 'unchanged', undefined, decision.live);
      return;
    case 'create': {
      const live = await create(run, candidate);
      remember(run, candidate, live);
      note(run, candidate, 'created', undefined, live);
      return;
    }
    case 'configure': {
      run.result.sent.add(candidate.identity);
      const live = await configure(run, candidate, decision.payload, decision.live, decision.takeOver);
      remember(run, candidate, live);
      note(run, candidate, 'configured', decision.detail, live);
      return;
    }
    case 'recreate': {
      run.result.sent.add(candidate.identity);
      await removeForRecreation(run, candidate, decision.live);
      const live = await send(run, candidate.object, { resourceVersion: ABSENT });
      remember(run, candidate, live);
      note(run, candidate, 'created', `deleted and created again: ${decision.detail}`, live);
      return;
    }
  }
}

/** Creates an object; one that was certainly not created is not counted as sent. */
async function create(run: Run, { object, identity }: Candidate): Promise<KubernetesObject> {
  run.result.sent.add(identity);
  try {
    return await send(run, object, { resourceVersion: ABSENT });
  } catch (error) {
    if (isRefused(error)) run.result.sent.delete(identity);
    throw error;
  }
}

/** The server has understood the request and turned it down; any other failure may have come after the write. */
function isRefused(error: unknown): boolean {
  return error instanceof KubeError && [400, 403, 404, 409, 413, 422].includes(error.code);
}

/**
 * Takes fields over where there are any, and applies. The first apply to an object without managed fields makes the server note
 * everything that was there before as an entry of its own; that is then taken over too.
 */
async function configure(
  run: Run,
  candidate: Candidate,
  payload: KubernetesObject,
  live: KubernetesObject,
  patch: PatchOperation[] | undefined,
): Promise<KubernetesObject> {
  const met = patch ? await takeFieldsOver(run, candidate, patch) : live;
  const sent = await send(run, payload, met.metadata);
  const left = foreignFields(run, candidate, sent);
  return left ? send(run, payload, (await takeFieldsOver(run, candidate, left)).metadata) : sent;
}

async function send(
  run: Run,
  object: KubernetesObject,
  met: { uid?: string; resourceVersion?: string },
): Promise<KubernetesObject> {
  await beforeWrite(run);
  const { fieldManager, signal } = run.options;
  return run.client.apply<KubernetesObject>(expecting(object, met), { fieldManager, force: true, signal });
}

async function takeFieldsOver(run: Run, { ref }: Candidate, patch: unknown): Promise<KubernetesObject> {
  await beforeWrite(run);
  const { fieldManager } = run.options;
  return run.client.patch<KubernetesObject>(ref, 'json', patch, { fieldManager });
}
