import process from 'node:process';
import pLimit from 'p-limit';
import { signedPush } from '../support/signed-push.ts';
import { SECRET } from './secret.ts';

// Sends signed pushes as a provider does, from a process of its own, four at a time; prints how long each took to be answered, in ms.
const { url, repositoryUrl, count } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  repositoryUrl: string;
  count: number;
};
const limit = pLimit(4);

async function send(index: number): Promise<number> {
  const commit = `${'0'.repeat(39)}${index % 10}`;
  const request = signedPush(repositoryUrl, commit, `bench-${index}`, SECRET);
  const began = performance.now();
  const response = await fetch(`${url}/webhooks/gitea`, request);
  await response.arrayBuffer();
  const ms = performance.now() - began;
  if (response.status !== 202) throw new Error(`the webhook was answered with ${response.status}`);
  return ms;
}

const times = await Promise.all(Array.from({ length: count }, (_, index) => limit(() => send(index))));
process.stdout.write(JSON.stringify(times));
