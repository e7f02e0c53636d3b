import type { Command } from 'commander';

/** Commands of one file, in the order of the help. */
export interface CommandEntry {
  names: readonly string[];
  /** Loads the file. @returns what adds them */
  load(): Promise<(program: Command) => void>;
}

/** All commands. To load a file means to load what it works with, which takes longer than most commands do, so each is loaded by itself. */
export const commands: readonly CommandEntry[] = [
  { names: ['init'], load: async () => (await import('./init.ts')).addInit },
  { names: ['cluster'], load: async () => (await import('./cluster.ts')).addCluster },
  { names: ['validate'], load: async () => (await import('./validate.ts')).addValidate },
  { names: ['build'], load: async () => (await import('./build.ts')).addBuild },
  { names: ['diff'], load: async () => (await import('./diff.ts')).addDiff },
  { names: ['serve'], load: async () => (await import('./serve.ts')).addServe },
  { names: ['worker'], load: async () => (await import('./worker.ts')).addWorker },
  { names: ['deploy'], load: async () => (await import('./deploy.ts')).addDeploy },
  { names: ['get'], load: async () => (await import('./get.ts')).addGet },
  { names: ['history'], load: async () => (await import('./get.ts')).addHistory },
  { names: ['tree'], load: async () => (await import('./tree.ts')).addTree },
  { names: ['images'], load: async () => (await import('./images.ts')).addImages },
  { names: ['reconcile'], load: async () => (await import('./reconcile.ts')).addReconcile },
  { names: ['suspend', 'resume'], load: async () => (await import('./reconcile.ts')).addSuspend },
  { names: ['approve'], load: async () => (await import('./operate.ts')).addApprove },
  { names: ['resync'], load: async () => (await import('./operate.ts')).addResync },
  { names: ['adopt'], load: async () => (await import('./adopt.ts')).addAdopt },
  { names: ['release'], load: async () => (await import('./adopt.ts')).addRelease },
  { names: ['eject'], load: async () => (await import('./adopt.ts')).addEject },
  { names: ['dead-letters'], load: async () => (await import('./operate.ts')).addDeadLetters },
  { names: ['crds'], load: async () => (await import('./schemas.ts')).addCrds },
  { names: ['schemas'], load: async () => (await import('./schemas.ts')).addSchemas },
];
