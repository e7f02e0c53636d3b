import type { Blobs } from '../blobs/blobs.ts';
import type { RegistryLogins } from '../cloud/registry-logins.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { FleetCluster } from '../fleet/cluster.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Forge } from '../forge/forge.ts';
import type { PullRequests } from '../forge/pull-requests.ts';
import type { Http } from '../http.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Log } from '../log.ts';
import type { Registries } from '../oci/registries.ts';
import type { Queue } from '../queue/queue.ts';
import type { Timers } from '../queue/timers.ts';
import type { Engine } from '../render/engine.ts';
import type { Seal } from '../secrets/seal.ts';
import type { GitAccess } from '../source/git-access.ts';
import type { SourceKind } from '../source/source.ts';
import type { Applied } from '../store/applied.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { DueTimes } from '../store/due-times.ts';
import type { Guests } from '../store/guests.ts';
import type { ImageTags } from '../store/image-tags.ts';
import type { Inputs } from '../store/inputs.ts';
import type { Leases } from '../store/leases.ts';
import type { Outbox } from '../store/outbox.ts';
import type { Receivers } from '../store/receivers.ts';
import type { Rollouts } from '../store/rollouts.ts';
import type { Runs } from '../store/runs.ts';
import type { Subscriptions } from '../store/subscriptions.ts';
import type { Table } from '../store/table.ts';
import type { Telemetry } from '../telemetry.ts';

/** The queues: one for pushes to repositories and registries, one a cluster, so that a worker can be given the jobs of its cluster alone. */
export interface Queues {
  push: Queue;
  cluster(name: string): Queue;
  /** Jobs for outboxes; absent where a loop looks into them all the time. */
  notify?: Queue;
}

/** The queues for those who only send. */
export interface Outlets {
  push: Pick<Queue, 'send'>;
  cluster(name: string): Pick<Queue, 'send'>;
  notify?: Pick<Queue, 'send'>;
}

/** The index and the audit: everything of ours that is not in Git or in a cluster. */
export interface Index {
  deliveries: Deliveries;
  subscriptions: Subscriptions;
  receivers: Receivers;
  dueTimes: DueTimes;
  leases: Leases;
  applied: Applied;
  inputs: Inputs;
  imageTags: ImageTags;
  rollouts: Rollouts;
  guests: Guests;
  outbox: Outbox;
  runs: Runs;
  /** Small rows of single pipeline files (`waiting`, `health`); each names its own partition. */
  rows: Table;
}

/** A cluster of the fleet file and the connection to it. */
export interface ClusterConnection {
  config: FleetCluster;
  client: KubeClient;
}

/** A Git provider of the fleet file and its API. */
export interface Provider {
  name: string;
  /** Its type in the fleet file, such as `github`. */
  type: string;
  /** The host (and port) of its clone URLs, in lower case. */
  host: string;
  /** Whether it is for a repository by that path; for all when absent. */
  owns?: (path: string) => boolean;
  forge: Forge;
  /**
   * Its pull requests, with a credential that a Secret holds; without one, with the provider's own. Absent where pull requests are not to be
   * had.
   */
  pullRequests?: (credential?: { username?: string; token: string }) => PullRequests;
}

/** A private key to sign with, and its passphrase (empty for none). */
export interface SigningKey {
  key: string;
  passphrase: string;
  signal: AbortSignal;
}

/** What it takes to write to repositories. Signing gives an armoured signature, or throws an Error that says what is wrong with the key. */
export interface GitWriting {
  access: GitAccess;
  signWithSsh(payload: Uint8Array, key: SigningKey): Promise<string>;
  signWithPgp(payload: Uint8Array, key: SigningKey): Promise<string>;
}

/** All that the pipeline touches; built by `functions/`, faked or real in tests. */
export interface Context {
  fleet: Fleet;
  queues: Queues;
  index: Index;
  blobs: Blobs;
  engine: Engine;
  /** Source kinds by kind name. */
  sources: Readonly<Record<string, SourceKind<KubernetesObject>>>;
  git: GitWriting;
  providers: readonly Provider[];
  /** Container registries. */
  registries: Registries;
  /** Registries of clouds, opened by identities of this process; absent where there are none. */
  registryLogins?: RegistryLogins;
  /** The connection to a cluster. Throws when the fleet file does not name it or its credential is unusable. */
  cluster(name: string): Promise<ClusterConnection>;
  /**
   * The API that a kubeconfig from a Secret opens; connections are shared by equal text. Nothing is run and no file is read for it.
   * @param name what it is called in errors
   */
  connect(kubeconfig: string, name: string): KubeClient;
  /** The outgoing HTTP client, within the network policy. */
  http: Http;
  /** Encrypts what of Secrets must stand in the index. */
  seal: Seal;
  log: Log;
  telemetry: Telemetry;
  /** Epoch in ms. */
  now(): number;
  /** A new unguessable id, sortable by time. */
  newId(): string;
  /** 0 ≤ n < 1; for jitter. */
  random(): number;
  /** Resolves after `ms`, or rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** For what is done again and again while something goes on. Default: the real ones. */
  timers?: Timers;
  /** Names this process as the holder of leases. */
  holder: string;
  /** Names this installation (all its workers) in the Lease that keeps a second one out of a cluster. */
  installation: string;
  /** Aborts when the process shuts down. */
  signal: AbortSignal;
  /** Epoch in ms from which on nothing long is begun, since the process is stopped soon after; never when absent. */
  endsAt?: number;
}

/**
 * What those parts of the pipeline touch that hold no credential of a cluster: webhooks, fan-out, the tick. Their functions are given
 * no more than this.
 */
export interface Core
  extends Pick<
    Context,
    | 'fleet'
    | 'queues'
    | 'index'
    | 'log'
    | 'now'
    | 'newId'
    | 'random'
    | 'sleep'
    | 'timers'
    | 'signal'
    | 'endsAt'
  > {
  providers: readonly Pick<Provider, 'name'>[];
}

/**
 * What webhooks touch, wherever they are taken: jobs are sent, deliveries remembered, Receivers looked up and their calls verified, large ones put
 * aside. Nothing is received, changed or deleted.
 */
export interface Edge extends Pick<Context, 'log' | 'now' | 'newId'> {
  queues: Outlets;
  index: { deliveries: Pick<Deliveries, 'isDone' | 'markDone'>; receivers: Pick<Receivers, 'find'> };
  http: Pick<Http, 'request'>;
  seal: Pick<Seal, 'open'>;
  blobs: Pick<Blobs, 'put'>;
}
