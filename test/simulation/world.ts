import type { PushJob } from '../../lib/core/job.ts';
import { normaliseRepository } from '../../lib/core/repository.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { Context } from '../../lib/pipeline/context.ts';
import { enqueue } from '../../lib/pipeline/enqueue.ts';
import { handleBatch } from '../../lib/pipeline/handle-batch.ts';
import { handleJob } from '../../lib/pipeline/handle-job.ts';
import { handleMessage, VISIBILITY_MS } from '../../lib/pipeline/handle-message.ts';
import { tick } from '../../lib/pipeline/tick.ts';
import { Chance } from './chance.ts';
import { Api } from './modelled-api.ts';
import { Line } from './modelled-queue.ts';
import { Rows } from './modelled-table.ts';
import { type Commit, type Content, Repository, URL } from './repository.ts';
import { Process, Scheduler, type Step, settled } from './scheduler.ts';
import { sights } from './sight.ts';
import type { Event } from './story.ts';
import { contextOf, type Plant, PROVIDER, type Surroundings } from './worker.ts';

/** How many processes take jobs. */
const WORKERS = 3;

/** How likely a message is handed out, or a delayed one brought into line, rather than a call let go. */
const HAND_OUT = 0.3;

type Fault = Extract<Event, { kind: 'die' | 'freeze' | 'fail' }>;

interface Worker {
  process: Process;
  ctx: Context;
  busy: boolean;
  /** As a function of AWS gets messages, several at once, or one by one. */
  batches: boolean;
}

/** The world of one interleaving. */
export class World implements Surroundings {
  readonly scheduler: Scheduler;
  readonly rows: Rows;
  readonly api: Api;
  readonly repository: Repository;
  readonly blobs: Map<string, Uint8Array>;
  readonly pushes: Line;
  readonly jobs: Line;
  onSent: Surroundings['onSent'] = () => {};
  /** Whether the webhook of the last push has become a durable job. */
  lastPushAccepted = true;
  /** Whether anything has befallen a process. */
  wasStruck = false;
  /** Whether the webhook of any push was lost. */
  wasMissed = false;
  /** Kustomizations that were suspended when they went: what they had applied stays, as with Flux. */
  readonly leftBehind = new Set<string>();
  readonly #chance: Chance;
  readonly #plant: Plant;
  readonly #edge: Context;
  readonly #workers: Worker[] = [];
  #faults: Fault[] = [];
  #names: number;

  constructor(
    seed: number,
    from: World | Content,
    { plant = {}, traced = false }: { plant?: Plant; traced?: boolean } = {},
  ) {
    const before = from instanceof World ? from : undefined;
    this.#chance = new Chance(seed);
    this.#plant = plant;
    this.#names = before ? before.#names : 0;
    this.scheduler = new Scheduler(this.#chance, { traced });
    if (before) this.scheduler.now = before.scheduler.now;
    this.rows = new Rows(before?.rows, traced);
    this.api = new Api(before?.api, traced);
    this.repository = new Repository(from instanceof World ? from.repository : from);
    this.blobs = new Map(before?.blobs);
    this.pushes = new Line('push', this.#chance);
    this.jobs = new Line('prod', this.#chance);
    this.#edge = this.#contextOf(new Process(`edge-${seed}`));
    for (let count = 0; count < WORKERS; count += 1) this.#hire();
  }

  /** Takes a push in: the webhook's part. */
  async push(commit: Commit): Promise<boolean> {
    const job: PushJob = {
      type: 'push',
      provider: PROVIDER,
      repositories: [normaliseRepository(URL) ?? ''],
      project: 'owner/fleet',
      ref: 'refs/heads/main',
      commit: commit.hash,
      origin: { id: `push-${commit.hash}-${this.scheduler.steps}`, commit: commit.hash, author: 'Ada' },
      receivedAt: this.scheduler.now,
    };
    try {
      await enqueue(this.#edge, [{ job }]);
      return true;
    } catch {
      return false;
    }
  }

  /** What the clock sends each minute. */
  tick(): void {
    void tick(this.#edge).catch(() => undefined);
  }

  arm(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** From now on nothing more befalls anybody. */
  disarm(): void {
    this.#faults = [];
  }

  /**
   * Goes one step on.
   * @param until epoch in ms beyond which the clock does not go by itself
   * @returns false when nothing is left to do until then
   */
  async step(until: number): Promise<boolean> {
    await settled();
    const { scheduler } = this;
    for (;;) {
      if (this.#chance.next() < HAND_OUT && this.#handOut()) return true;
      const step = scheduler.take();
      if (step) {
        this.#carryOut(step);
        return true;
      }
      if (this.#handOut()) return true;
      const next = Math.min(
        scheduler.nextAt(),
        ...[this.pushes, this.jobs].map((line) => this.#nextOf(line)),
      );
      if (next > until) return false;
      scheduler.pass(Math.max(next - scheduler.now, 0));
      await settled();
    }
  }

  get isEmpty(): boolean {
    return this.pushes.isEmpty && this.jobs.isEmpty && this.#workers.every(({ busy }) => !busy);
  }

  /** A line changes by the clock; what is free or due already waits for a process. */
  #nextOf(line: Line): number {
    const next = line.nextAt();
    return next > this.scheduler.now ? next : Number.POSITIVE_INFINITY;
  }

  #handOut(): boolean {
    const { now } = this.scheduler;
    const lines = [this.pushes, this.jobs];
    const late = lines.filter((line) => line.hasDue(now));
    if (late.length > 0) return (late[this.#chance.below(late.length)] as Line).forward(now);
    const full = lines.filter((line) => line.hasFree(now));
    const free = this.#workers.filter(({ busy, process }) => !busy && process.frozenUntil <= now);
    const [line, worker] = [full[this.#chance.below(full.length)], free[this.#chance.below(free.length)]];
    if (!line || !worker) return false;
    void this.#work(worker, line);
    return true;
  }

  async #work(worker: Worker, line: Line): Promise<void> {
    const { ctx, process, batches } = worker;
    const { now } = this.scheduler;
    const queue = line === this.pushes ? ctx.queues.push : ctx.queues.cluster('prod');
    const messages = line.receive(batches ? 3 : 1, now, VISIBILITY_MS);
    if (batches && messages.length > 0 && this.#chance.next() < 0.5)
      messages.push(...line.receive(1, now, VISIBILITY_MS));
    for (const { group, receiveCount } of messages)
      this.scheduler.tell(`${process.name} gets ${group}${receiveCount > 1 ? `, time ${receiveCount}` : ''}`);
    const [first] = messages;
    if (!first) return;
    worker.busy = true;
    const handle = (job: Parameters<typeof handleJob>[1]) => sights.run({}, () => handleJob(ctx, job));
    if (batches) await handleBatch(ctx, queue, messages, { handle });
    else await handleMessage(ctx, queue, first, handle);
    worker.busy = false;
  }

  #carryOut(step: Step): void {
    const { scheduler } = this;
    const { process, name, place, act, resolve, reject } = step;
    const fault = this.#strike(step);
    if (fault?.kind === 'freeze') {
      scheduler.tell(`${process.name} freezes for ${fault.ms} ms before it does: ${name}`);
      scheduler.freeze(process, fault.ms);
      scheduler.putBack(step);
      return;
    }
    if (fault?.kind === 'die') {
      scheduler.tell(`${process.name} dies ${fault.after ? 'after' : 'before'} ${place} ${name}`);
      if (fault.after) attempt(act);
      this.#dismiss(process);
      return;
    }
    if (fault) {
      scheduler.tell(
        `${process.name} is told of a fault ${fault.after ? 'after' : 'before'} ${place} ${name}`,
      );
      if (fault.after && step.writes) attempt(act);
      reject(faultOf(place, fault.code));
      return;
    }
    try {
      const answer = act();
      scheduler.tell(
        `${process.name} ${place} ${name}${answer === undefined || answer === false ? ` → ${answer}` : ''}`,
      );
      resolve(answer);
    } catch (error) {
      scheduler.tell(`${process.name} ${place} ${name} → ${(error as Error).message}`);
      reject(error);
    }
  }

  /** The first fault that fits a call. */
  #strike(step: Step): Fault | undefined {
    const index = this.#faults.findIndex(
      ({ kind, place }) => place === step.place && (step.writes || kind === 'fail'),
    );
    const fault = this.#faults[index];
    // The edge answers its caller what became of it; there is nobody who would start it again.
    if (!fault || (fault.kind !== 'fail' && step.process.name.startsWith('edge'))) return undefined;
    this.#faults.splice(index, 1);
    this.wasStruck = true;
    return fault;
  }

  #dismiss(process: Process): void {
    this.scheduler.kill(process);
    const index = this.#workers.findIndex((worker) => worker.process === process);
    if (index < 0) return;
    this.#workers.splice(index, 1);
    this.#hire();
  }

  #hire(): void {
    this.#names += 1;
    const process = new Process(`worker-${this.#names}`);
    this.#workers.push({
      process,
      ctx: this.#contextOf(process),
      busy: false,
      batches: this.#names % 2 === 0,
    });
  }

  #contextOf(process: Process): Context {
    return contextOf(this, process, this.#chance.below(2 ** 31), this.#plant);
  }
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // The answer comes to nobody.
  }
}

function faultOf(place: Step['place'], code: number): Error {
  if (place === 'kube') return new KubeError(code, `a fault with code ${code}`);
  return new Error(place === 'table' ? 'the table is throttled' : `a fault of the ${place}`);
}
