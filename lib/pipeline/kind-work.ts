import type { GitRepository } from '../toolkit/git-repository.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { Receiver } from '../toolkit/receiver.ts';
import { reconcileGitRepository } from './git-repository.ts';
import { reconcileImagePolicy } from './image-policy.ts';
import { reconcileImageRepository } from './image-repository.ts';
import { reconcileImageUpdateAutomation } from './image-update-automation.ts';
import { reconcileKustomization } from './kustomization.ts';
import { pruneInventory } from './prune-inventory.ts';
import { reconcileReceiver } from './receiver.ts';
import type { Reconciled } from './reconciled.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** What a run does for an object of a kind. */
export interface KindWork {
  reconcile(run: Run, object: WithStatus): Promise<Reconciled>;
  /** Takes away what the object has made, before it goes itself. @returns what became of it, in words */
  cleanUp(run: Run, object: WithStatus): Promise<string>;
}

/** Of kinds whose objects leave nothing in the cluster. */
const nothingMade = () => Promise.resolve('deleted');

const WORK: Readonly<Record<string, KindWork>> = {
  GitRepository: {
    reconcile: (run, object) => reconcileGitRepository(run, object as GitRepository),
    cleanUp: nothingMade,
  },
  Kustomization: {
    reconcile: (run, object) => reconcileKustomization(run, object as Kustomization),
    cleanUp: (run, object) => pruneInventory(run, object as Kustomization),
  },
  ImageRepository: {
    reconcile: (run, object) => reconcileImageRepository(run, object as ImageRepository),
    cleanUp: nothingMade,
  },
  ImagePolicy: {
    reconcile: (run, object) => reconcileImagePolicy(run, object as ImagePolicy),
    cleanUp: nothingMade,
  },
  Receiver: {
    reconcile: (run, object) => reconcileReceiver(run, object as Receiver),
    cleanUp: nothingMade,
  },
  ImageUpdateAutomation: {
    reconcile: (run, object) => reconcileImageUpdateAutomation(run, object as ImageUpdateAutomation),
    cleanUp: nothingMade,
  },
};

/** The work of a kind that stands in `kinds.ts`. */
export function workOf(kind: string): KindWork {
  const work = WORK[kind];
  if (work) return work;
  throw new Error(`objects of kind ${kind} are not reconciled`);
}
