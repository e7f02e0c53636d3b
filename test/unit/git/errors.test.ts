import { expect, test } from 'vitest';
import { explain } from '../../../lib/git/errors.ts';

test.each([
  ["fatal: could not read Username for 'https://host': terminal prompts disabled", 'auth'],
  ["fatal: Authentication failed for 'https://host/'", 'auth'],
  ["fatal: unable to access 'https://host/': The requested URL returned error: 403", 'auth'],
  ['No ED25519 host key is known for host\nHost key verification failed.', 'auth'],
  ['git@host: Permission denied (publickey).', 'auth'],
  ["fatal: repository 'https://host/x/' not found", 'not-found'],
  ["fatal: couldn't find remote ref refs/heads/x", 'missing'],
  ['fatal: remote error: upload-pack: not our ref 1234', 'missing'],
  ['error: Server does not allow request for unadvertised object 1234', 'missing'],
  ["fatal: unable to access 'http://host/': The requested URL returned error: 301", 'redirect'],
  [
    "fatal: unable to access 'https://host/': server certificate verification failed. CAfile: none",
    'network',
  ],
  ["fatal: unable to access 'https://host/': Could not resolve host: host", 'network'],
  ["fatal: unable to access 'https://host/': The requested URL returned error: 503", 'network'],
  ["fatal: transport 'file' not allowed", 'refused'],
  ['error: object 12: hasDotdot: contains ..\nfatal: fsck error in packed object', 'corrupt'],
  ['fatal: not a git repository: /x', 'corrupt'],
  ['something new', 'other'],
])('%j means %s', (stderr, fault) => {
  expect(explain('fetch', stderr, []).fault).toBe(fault);
});

test('the message says what was done, what it means and what Git said, without secrets', () => {
  const { message } = explain('list the refs', 'hint: x\nfatal: repository hunter22 not found\n', [
    'hunter22',
  ]);
  expect(message).toBe(
    'cannot list the refs: there is no such repository, or the credentials may not see it: repository *** not found',
  );
});
