import { PassThrough } from 'node:stream';
import type { Exit, RunningProcess } from '../../lib/exec.ts';
import { encodeFrame, type Frame, readFrames } from '../../lib/render/frame.ts';

/** What a fake engine does with a request: the header of its answer, or nothing to stay silent. */
export type Respond = (
  request: Record<string, unknown>,
  process: FakeProcess,
) => Record<string, unknown> | undefined | Promise<Record<string, unknown> | undefined>;

/** A process that exists in this process alone. */
export interface FakeProcess extends RunningProcess {
  /** Requests received, in order. */
  requests: Record<string, unknown>[];
  killed: boolean;
  /** Lets the process end by itself. */
  exit(exit: Partial<Exit>): void;
  /** Sends a frame. */
  send(header: object, payload?: Uint8Array): void;
  /** Awaits a frame that is no request, such as the answer to a call. */
  next(): Promise<Frame>;
}

/** Starts fake engines that answer as told; all that were started are kept in `started`. */
export function fakeEngines(respond: Respond): { start: () => FakeProcess; started: FakeProcess[] } {
  const started: FakeProcess[] = [];
  return {
    started,
    start() {
      const process = fakeProcess(respond);
      started.push(process);
      return process;
    },
  };
}

function fakeProcess(respond: Respond): FakeProcess {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const exited = Promise.withResolvers<Exit>();
  const frames = readFrames(stdin);
  const process: FakeProcess = {
    stdin,
    stdout,
    pid: undefined,
    exited: exited.promise,
    requests: [],
    killed: false,
    kill() {
      process.killed = true;
      process.exit({ signal: 'SIGKILL' });
    },
    exit(exit) {
      exited.resolve({ code: null, signal: null, stderr: '', ...exit });
      stdout.end();
    },
    send(header, payload) {
      for (const part of encodeFrame(header, payload)) stdout.write(part);
    },
    async next() {
      const { value } = await frames.next();
      return value as Frame;
    },
  };
  void serve(process, respond);
  return process;
}

async function serve(process: FakeProcess, respond: Respond): Promise<void> {
  for (;;) {
    const frame = await process.next();
    if (!frame) return;
    process.requests.push(frame.header);
    const answer = await respond(frame.header, process);
    const payload = answer?.payload instanceof Uint8Array ? answer.payload : undefined;
    if (answer) process.send({ id: frame.header.id, ok: true, ...answer, payload: undefined }, payload);
  }
}
