import type { Gitea } from '../support/gitea.ts';
import type { Kubernetes } from '../support/kubernetes.ts';
import type { Evidence } from './evidence.ts';
import type { LoadWorker } from './load-worker.ts';

/** What an installation is set up on. */
export interface Ground {
  directory: string;
  kubernetes: Kubernetes;
  gitea: Gitea;
  /** Clone URL of the fleet repository. */
  fleet: string;
  evidence: Evidence;
}

/** A Slipway whose workers are processes of their own. */
export interface Installation {
  backend: 'sqlite' | 'aws';
  /** Where webhooks go. */
  url: string;
  workers: readonly LoadWorker[];
  /** How long a worker must be frozen for its leases to be another's, in ms. */
  pauseMs: number;
  /** So many workers may be frozen at the same time. */
  mostPaused: number;
  /** The groups of jobs that were put aside because they failed too often. */
  deadLetters(): Promise<string[]>;
  stop(): Promise<void>;
}
