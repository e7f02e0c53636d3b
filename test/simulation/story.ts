import fc from 'fast-check';
import type { Content } from './repository.ts';
import type { Place } from './scheduler.ts';

/** How the webhook of a push fares: it comes once, twice, or not at all. */
export type Hook = 'once' | 'twice' | 'lost';

/** What somebody does to the world, or what befalls a process. A fault strikes the next call that it fits. */
export type Event =
  | { kind: 'push'; content: Content; hook: Hook }
  /** A force-push back to an older commit: so many before the head, as they were made. */
  | { kind: 'revert'; back: number; hook: Hook }
  | { kind: 'tick' }
  | { kind: 'edit'; name: string }
  | { kind: 'delete'; name: string }
  /** Somebody deletes a Kustomization: what it applies goes with it, and both come back. */
  | { kind: 'delete-owner'; name: 'base' | 'app' }
  | { kind: 'suspend' | 'resume' | 'request'; name: 'base' | 'app' }
  | { kind: 'duplicate' }
  | { kind: 'wait'; ms: number }
  | { kind: 'die'; place: Place; after: boolean }
  | { kind: 'freeze'; place: Place; ms: number }
  | { kind: 'fail'; place: Place; after: boolean; code: number };

/** An event, so many steps after the one before it; when nothing is left to do it comes at once. */
export interface Moment {
  steps: number;
  event: Event;
}

/** One interleaving: the seed of all choices, and what happens. */
export interface Story {
  seed: number;
  moments: Moment[];
}

const kustomization = fc.constantFrom('base' as const, 'app' as const);
const hook = fc.constantFrom<Hook>('once', 'once', 'once', 'twice', 'lost');

const content: fc.Arbitrary<Content> = fc.record({
  value: fc.nat(2),
  shared: fc.constantFrom('base' as const, 'app' as const, 'none' as const),
  more: fc.record({ base: fc.boolean(), app: fc.boolean() }),
  // A commit may leave it out, and a later one bring it again.
  app: fc.constantFrom(true, true, true, false),
  dependsOn: fc.boolean(),
  broken: fc.constantFrom(...Array<'none'>(10).fill('none'), 'base', 'app'),
});

const push = fc.record({ kind: fc.constant('push' as const), content, hook });
const writes = fc.constantFrom<Place>('table', 'queue', 'queue', 'kube', 'kube');

/** What a frozen process has sent to the API server is there within a minute after its lease; what it has not sent may come at any time. */
const freeze = fc.oneof(
  fc.record({
    kind: fc.constant('freeze' as const),
    place: fc.constant<Place>('kube'),
    ms: fc.constantFrom(5_000, 100_000, 110_000),
  }),
  fc.record({
    kind: fc.constant('freeze' as const),
    place: fc.constantFrom<Place>('table', 'queue'),
    ms: fc.constantFrom(5_000, 110_000, 300_000),
  }),
);

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: push },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('revert' as const), back: fc.nat(3), hook }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('edit' as const, 'delete' as const),
      name: fc.constantFrom('base', 'app', 'shared', 'base-more'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(...(['suspend', 'resume', 'request'] as const)),
      name: kustomization,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete-owner' as const), name: kustomization }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('duplicate' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(3_000, 70_000, 700_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('die' as const), place: writes, after: fc.boolean() }),
  },
  { weight: 4, arbitrary: freeze },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      place: fc.constantFrom<Place>('table', 'queue', 'kube', 'kube', 'blobs', 'source'),
      after: fc.boolean(),
      code: fc.constantFrom(409, 500, 0),
    }),
  },
);

const moment = fc.record({ steps: fc.nat(150), event });

/** Most mistakes need little to show, and a short story is played in half the time. */
const moments = fc.oneof(
  { weight: 2, arbitrary: fc.array(moment, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.array(moment, { maxLength: 4 }) },
);

/** Any story; it begins with a push. */
export const story: fc.Arbitrary<Story> = fc
  .record({ seed: fc.nat(), first: push, moments })
  .map(({ seed, first, moments: others }) => ({ seed, moments: [{ steps: 0, event: first }, ...others] }));
