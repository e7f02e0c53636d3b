import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Turns } from '../../../lib/queue/turns.ts';

interface Placed {
  group: string;
  ord: number;
  sent: number;
}

/** Places for messages of groups that are sent one after another. */
function placesOf(turns: Turns, groups: readonly string[]): Placed[] {
  return groups.map((group, sent) => ({ group, ord: turns.next(group), sent }));
}

function inLine(placed: readonly Placed[]): Placed[] {
  return [...placed].sort((left, right) => left.ord - right.ord);
}

const groups = fc.array(fc.constantFrom('a/1', 'a/2', 'b/1', 'c/x/1', 'c/x/2', 'plain'), { maxLength: 60 });

describe('turns', () => {
  test('keep the order of sending in every lane, and so in every group', () => {
    fc.assert(
      fc.property(groups, fc.array(fc.nat(100)), (sent, served) => {
        const turns = new Turns();
        const placed = sent.map((group, index) => {
          turns.served(served[index] ?? 0);
          return { lane: group.slice(0, Math.max(group.lastIndexOf('/'), 0)), ord: turns.next(group) };
        });
        for (const lane of new Set(placed.map((each) => each.lane))) {
          const own = placed.filter((each) => each.lane === lane).map(({ ord }) => ord);
          expect(own).toEqual([...new Set(own)].sort((left, right) => left - right));
        }
      }),
    );
  });

  test('let a newcomer wait for one message of every other lane at most, however many wait', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(400), (many, few, done) => {
        const turns = new Turns();
        const sent = [...Array(many).fill('noisy/x'), ...Array(few).fill('busy/x')];
        const line = inLine(placesOf(turns, sent));
        for (const { ord } of line.slice(0, done)) turns.served(ord);
        const own = turns.next('quiet/x');
        const ahead = line.slice(done).filter(({ ord }) => ord < own);
        expect(ahead.filter(({ group }) => group === 'noisy/x').length).toBeLessThanOrEqual(1);
        expect(ahead.filter(({ group }) => group === 'busy/x').length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('do not reward a lane for the time in which it had nothing to do', () => {
    const turns = new Turns();
    for (const { ord } of placesOf(turns, Array(100).fill('busy/x'))) turns.served(ord);
    const placed = placesOf(turns, [...Array(3).fill('idle/x'), ...Array(3).fill('busy/x')]);
    expect(inLine(placed).map(({ group }) => group[0])).toEqual(['i', 'b', 'i', 'b', 'i', 'b']);
  });

  test('go on after a restart where they stood', () => {
    const turns = new Turns([{ group: 'noisy/x', ord: 1_000 }], 400);
    expect(turns.next('noisy/y')).toBe(1_001);
    expect(turns.next('quiet/x')).toBe(401);
  });

  test('forget lanes that have nothing waiting', () => {
    const turns = new Turns();
    for (let lane = 0; lane < 50_000; lane += 1) turns.served(turns.next(`lane ${lane}/x`));
    expect(turns.lanes).toBeLessThanOrEqual(10_001);
  });
});
