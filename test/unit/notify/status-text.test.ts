import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeMember, describeRollout } from '../../../lib/notify/status-text.ts';

const rollout = { cluster: 'staging', supersededBy: '' };
const ready = (message: string, key = message) => ({ key, state: 'ready' as const, message });
const failed = (key: string, message: string) => ({ key, state: 'failed' as const, message });
const pending = { key: 'p', state: 'pending' as const, message: '' };

describe('describeRollout', () => {
  it('counts over all members when all are done', () => {
    const members = [
      ready('2 created, 1 configured, 1 deleted'),
      ready('12 unchanged'),
      ready('nothing to change'),
    ];
    expect(describeRollout(rollout, members)).toBe('3 changed, 1 deleted, 12 unchanged');
  });

  it('says so when there was nothing to do', () => {
    expect(describeRollout(rollout, [ready('nothing to change'), ready('')])).toBe('nothing to change');
  });

  it('speaks of the cluster when a member says something else', () => {
    expect(describeRollout(rollout, [ready('stored artifact')])).toBe('deployed to staging');
  });

  it('says the same all the while it runs', () => {
    expect(describeRollout(rollout, [pending, ready('1 created')])).toBe('deploying to staging');
    expect(describeRollout(rollout, [pending, pending, ready('7 created')])).toBe('deploying to staging');
  });

  it('names the failing object and the error', () => {
    const text = 'Kustomization/apps/podinfo: Deployment/apps/podinfo: health check failed: 0 of 1 available';
    expect(describeRollout(rollout, [failed('b', text), pending])).toBe(text);
  });

  it('names the first of several failing objects, whatever their order', () => {
    const members = [failed('b', 'b: second'), failed('a', 'a: first'), ready('1 created')];
    expect(describeRollout(rollout, members)).toBe('2 of 3 failed: a: first');
    expect(describeRollout(rollout, members.reverse())).toBe('2 of 3 failed: a: first');
  });

  it('says what the success of an object leaves to be desired, and of how many', () => {
    const noted = (key: string) => ({ ...ready('1 created', key), notice: `${key} is left to b` });
    expect(describeRollout(rollout, [noted('c'), ready('2 unchanged')])).toBe(
      '1 changed, 2 unchanged; c is left to b',
    );
    expect(describeRollout(rollout, [noted('d'), noted('c')])).toBe('2 changed; 2 notices: c is left to b');
    expect(describeRollout(rollout, [noted('c'), pending])).toBe('deploying to staging');
    expect(describeMember({ message: '1 created', notice: 'c is left to b' })).toBe(
      '1 created; c is left to b',
    );
    expect(describeMember({ message: '1 created' })).toBe('1 created');
  });

  it('names the commit that took over', () => {
    expect(describeRollout({ ...rollout, supersededBy: 'c'.repeat(40) }, [pending])).toBe(
      'superseded by cccccccc',
    );
    expect(describeRollout({ ...rollout, supersededBy: 'c'.repeat(40) }, [ready('1 created')])).toBe(
      'superseded by cccccccc',
    );
  });

  it('is one line of at most 140 characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { minLength: 1, maxLength: 5 }),
        (messages) => {
          const text = describeRollout(
            rollout,
            messages.map((message, index) => failed(String(index), message)),
          );
          expect(text.length).toBeLessThanOrEqual(140);
          expect(text).not.toMatch(/\n/);
        },
      ),
    );
    expect(describeRollout(rollout, [failed('a', `a: ${'word '.repeat(60)}`)])).toMatch(/ word…$/);
  });
});
