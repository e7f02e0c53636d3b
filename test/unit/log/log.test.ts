import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions, silentLog } from '../../../lib/log.ts';

function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    write: (line) => lines.push(line),
    now: () => Date.parse('2026-05-01T12:00:00.123Z'),
    ...options,
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('createLog', () => {
  it('writes one JSON object a line, with time, level, ids and message', () => {
    const { log, last, lines } = record();
    log.child({ run: 'r1', cluster: 'staging' }).info({ object: 'Kustomization/apps/podinfo' }, 'applied');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(last()).toEqual({
      level: 'info',
      time: '2026-05-01T12:00:00.123Z',
      run: 'r1',
      cluster: 'staging',
      object: 'Kustomization/apps/podinfo',
      message: 'applied',
    });
  });

  it('lets no field stand for the level, the time or the message', () => {
    const { log, last, lines } = record();
    log
      .child({ level: 'debug', time: 'never' })
      .error({ level: 'info', message: 'other', time: 0 }, 'failed');
    expect(last()).toEqual({ level: 'error', time: '2026-05-01T12:00:00.123Z', message: 'failed' });
    expect(lines[0]).toMatch(/^\{"level":"error","time":/);
  });

  it('keeps what a line says on one line, whatever stands in it', () => {
    const { log, last, lines } = record();
    log.info({ text: 'a\nb\u2028"', missing: undefined, lone: '\ud800' }, 'x\ny');
    expect(lines[0]?.split('\n')).toHaveLength(2);
    expect(last()).toMatchObject({ text: 'a\nb\u2028"', message: 'x\ny' });
    expect(last()).not.toHaveProperty('missing');
  });

  it('gives a child no way to change its parent', () => {
    const { log, last } = record();
    log.child({ run: 'r1' }).child({ object: 'o' }).info('child');
    expect(last()).toMatchObject({ run: 'r1', object: 'o' });
    log.info('parent');
    expect(last()).not.toHaveProperty('run');
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = record({ level: 'warn' });
    log.debug('no');
    log.info('no');
    log.warn('yes');
    log.error('yes');
    expect(lines).toHaveLength(2);
  });

  it('removes known secrets and credentials from messages, fields, errors and their causes', () => {
    const { log, lines } = record({ secrets: () => ['canary-value'] });
    const error = new Error('with canary-value', { cause: new Error('https://me:canary-value@host/x') });
    log.error(
      { error, list: ['a canary-value'], deep: { url: 'https://u:hunter22@h/' } },
      'canary-value failed',
    );
    log.info({ token: 'plain', Authorization: 'x', webhookSecret: 'y', data: { a: 'z' } }, 'masked');
    log.child({ password: 'hunter22' }).info('child');
    expect(lines.join('')).not.toMatch(/canary-value|hunter22|plain|"[xyz]"/);
    expect(lines.join('')).toContain('***');
  });

  it('survives cycles, huge depths, bytes, functions and odd values', () => {
    const { log, last } = record();
    const cycle: Record<string, unknown> = {
      n: 1n,
      bytes: new Uint8Array(3),
      f: () => 1,
      when: new Date(Number.NaN),
    };
    cycle.self = cycle;
    log.info({ cycle }, 'odd');
    expect(last().cycle).toEqual({ n: '1', bytes: '3 bytes', when: 'Invalid Date', self: '…' });
  });

  it('writes for people where asked to', () => {
    const { log, lines } = record({ format: 'text' });
    log.warn({ cluster: 'staging', why: 'two words', count: 3 }, 'not yet');
    expect(lines[0]).toBe('12:00:00.123 WARN  not yet cluster=staging why="two words" count=3\n');
    log.error({ error: new Error('boom') }, 'failed');
    expect(lines[1]).toMatch(/^12:00:00\.123 ERROR failed error=boom\n {4}Error: boom\n {8}at /);
  });

  it('lets no control character reach a terminal', () => {
    const { log, lines } = record({ format: 'text' });
    log.info({ branch: 'a\u001b[2Jb' }, 'push \u001b[31mred\nnext');
    expect(lines[0]).not.toContain('\u001b');
    expect(lines[0]?.split('\n')).toHaveLength(2);
  });

  it('colours only when told to', () => {
    const { log, lines } = record({ format: 'text', colour: true });
    log.info('green');
    expect(lines[0]).toContain('\u001b[32mINFO');
  });

  it('can be silent', () => {
    silentLog.child({ a: 1 }).error({ b: 2 }, 'nothing');
    const { log, lines } = record({ level: 'silent' });
    log.error('nothing');
    expect(lines).toEqual([]);
  });
});
