import process from 'node:process';
import { createKubeClient } from '../../lib/kube/rest.ts';
import type { Answer, Question } from './observer.ts';
import { untilReady } from './until-ready.ts';

// Watches a cluster in a process of its own, so that neither its memory nor its work is taken for Slipway's.

const client = createKubeClient(JSON.parse(process.argv[2] ?? '{}'));

process.on('message', ({ id, names, commit, timeoutMs }: Question) => {
  const answer = (rest: Omit<Answer, 'id'>) => process.send?.({ id, ...rest });
  untilReady(client, names, commit, timeoutMs).then(
    (at) => answer({ at }),
    (error: Error) => answer({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
