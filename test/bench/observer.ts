import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KubeConnection } from '../../lib/kube/connection.ts';
import { endChild } from './end-child.ts';

/** What the observer is asked: see `until-ready.ts`. */
export interface Question {
  id: number;
  names: readonly string[];
  commit: string;
  timeoutMs: number;
}

/** Its answer: a time (epoch in ms), or what went wrong. */
export interface Answer {
  id: number;
  at?: number;
  error?: string;
}

/** Looks at a cluster from outside. */
export interface Observer {
  /** Resolves with the time at which all of the Kustomizations were Ready at the commit. */
  ready(names: readonly string[], commit: string, timeoutMs: number): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the process that looks. */
export function startObserver(connection: KubeConnection): Observer {
  const program = fileURLToPath(new URL('./observer-process.ts', import.meta.url));
  const child: ChildProcess = fork(program, [JSON.stringify(connection)]);
  const waiting = new Map<number, (answer: Answer) => void>();
  let asked = 0;
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  child.on('exit', () => {
    for (const [id, settle] of waiting) settle({ id, error: 'the observer ended' });
  });
  return {
    ready(names, commit, timeoutMs) {
      const question: Question = { id: ++asked, names, commit, timeoutMs };
      return new Promise((resolve, reject) => {
        waiting.set(question.id, ({ id, at, error }) => {
          waiting.delete(id);
          if (at === undefined) reject(new Error(error));
          else resolve(at);
        });
        child.send(question);
      });
    },
    stop: () => endChild(child),
  };
}
