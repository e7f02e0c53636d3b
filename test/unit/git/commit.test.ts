import { expect, test } from 'vitest';
import { parseCommit, parseTag, personOf } from '../../../lib/git/commit.ts';

const HEAD =
  'tree 1\nparent 2\nparent 3\nauthor Ada Ü <ada@example.com> 1700000000 +0100\ncommitter G <g@x> 1 +0000\n';
const SSH = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----';
const header = (name: string, text: string) => `${name} ${text.replaceAll('\n', '\n ')}\n`;

test('headers, message and people of a commit are read', () => {
  const commit = parseCommit(Buffer.from(`${HEAD}\nsubject ü\n\nbody\n`));
  expect(commit.headers.get('tree')).toBe('1');
  expect(commit.headers.get('parent')).toBe('2');
  expect(personOf(commit.headers.get('author'))).toBe('Ada Ü <ada@example.com>');
  expect(commit.message).toBe('subject ü\n\nbody\n');
  expect(commit.signature).toBe('');
});

test('the signature is taken out, and what remains is what was signed', () => {
  const signed = Buffer.from(`${HEAD}${header('gpgsig', SSH)}encoding latin1\n\nsubject\n`);
  const commit = parseCommit(signed);
  expect(commit.signature).toBe(SSH);
  expect(String(commit.payload)).toBe(`${HEAD}encoding latin1\n\nsubject\n`);
});

test('bytes that are no UTF-8 are kept as they are in what was signed', () => {
  const body = Buffer.concat([Buffer.from(`${HEAD}\n`), Buffer.from([0xff, 0xfe, 0xe9])]);
  expect(parseCommit(body).payload).toEqual(body);
});

test('in SHA-256 repositories the other header counts, and neither is part of what was signed', () => {
  const both = Buffer.from(`${HEAD}${header('gpgsig', 'one')}${header('gpgsig-sha256', 'two')}\nsubject\n`);
  expect(parseCommit(both, 'sha256').signature).toBe('two');
  expect(parseCommit(both, 'sha1').signature).toBe('one');
  expect(String(parseCommit(both).payload)).toBe(`${HEAD}\nsubject\n`);
});

test('two signatures stay two, so that neither can hide the other', () => {
  const twice = Buffer.from(`${HEAD}${header('gpgsig', SSH)}${header('gpgsig', SSH)}\nsubject\n`);
  expect(parseCommit(twice).signature).toBe(`${SSH}\n${SSH}`);
});

test('a header in the message is no header', () => {
  const commit = parseCommit(Buffer.from(`${HEAD}\nsubject\n\n${header('gpgsig', SSH)}`));
  expect(commit.signature).toBe('');
});

test('a tag is read with the signature at its end', () => {
  const text = 'object 1\ntype commit\ntag v1\ntagger T <t@x> 1 +0000\n\nrelease\n';
  const tag = parseTag(Buffer.from(`${text}${SSH}\n`));
  expect([tag.headers.get('object'), tag.headers.get('type'), tag.headers.get('tag')]).toEqual([
    '1',
    'commit',
    'v1',
  ]);
  expect(tag.message).toBe('release\n');
  expect(tag.signature).toBe(`${SSH}\n`);
  expect(String(tag.payload)).toBe(text);
  expect(parseTag(Buffer.from(text)).signature).toBe('');
});

test('objects without message or headers do no harm', () => {
  expect(parseCommit(Buffer.from('')).message).toBe('');
  expect(parseTag(Buffer.from('object 1')).signature).toBe('');
  expect(personOf(undefined)).toBe('');
});
