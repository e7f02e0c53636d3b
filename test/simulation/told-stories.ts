import type { Content } from './repository.ts';
import type { Event, Hook, Story } from './story.ts';

const CONTENT: Content = {
  value: 1,
  shared: 'app',
  more: { base: false, app: false },
  app: true,
  dependsOn: true,
  broken: 'none',
};

/** A push of what differs from {@link CONTENT}. */
function push(hook: Hook, content: Partial<Content> = {}): Event {
  return { kind: 'push', content: { ...CONTENT, ...content }, hook };
}

/**
 * Stories in which a promise was broken once, by what it was. Each fails where what keeps its promise is taken out of the product; where the
 * product takes other steps since, another seed has to be looked for that does.
 */
export const TOLD: Readonly<Record<string, Story>> = {
  'the push that comes back to a commit (A → B → A) while the run for B closes what it has overtaken': {
    seed: 8,
    moments: [
      { steps: 0, event: push('once', { value: 2 }) },
      { steps: 47, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a Kustomization whose run read the source at B, before it was listed at A': {
    seed: 36,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 2, more: { base: true, app: true }, dependsOn: false, broken: 'base' }),
      },
      { steps: 46, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a Kustomization that is deleted waits for one that waits for it, for an object that has moved': {
    seed: 5,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 2, more: { base: false, app: true }, app: false }),
      },
      { steps: 115, event: push('once') },
      { steps: 83, event: { kind: 'die', place: 'kube', after: true } },
      { steps: 24, event: { kind: 'revert', back: 0, hook: 'twice' } },
    ],
  },
  'a push moves on the status of a Kustomization that it does not touch, while its run for the push before is about to end':
    {
      seed: 38,
      moments: [
        {
          steps: 0,
          event: push('once', { value: 0, more: { base: false, app: true }, app: false, broken: 'app' }),
        },
        { steps: 71, event: { kind: 'tick' } },
        {
          steps: 16,
          event: push('once', { value: 0, shared: 'none', app: false }),
        },
      ],
    },
  'the branch comes back to a commit unannounced, and a Kustomization is at it before the source has told of it':
    {
      seed: 67,
      moments: [
        { steps: 0, event: push('once', { value: 2 }) },
        { steps: 111, event: { kind: 'revert', back: 2, hook: 'lost' } },
        { steps: 123, event: { kind: 'die', place: 'queue', after: false } },
      ],
    },
  'a sweep has listed the source before the branch came back to a commit unannounced': {
    seed: 93,
    moments: [
      {
        steps: 0,
        event: push('twice', { value: 2, shared: 'none', more: { base: true, app: false }, app: false }),
      },
      { steps: 148, event: { kind: 'delete', name: 'base-more' } },
      { steps: 143, event: { kind: 'revert', back: 2, hook: 'lost' } },
    ],
  },
  'a Kustomization that is deleted by hand does not look before its holder has applied what depends on it no longer':
    {
      seed: 18,
      moments: [
        {
          steps: 0,
          event: push('twice', { value: 2, shared: 'none', more: { base: true, app: true }, app: false }),
        },
        { steps: 113, event: { kind: 'delete-owner', name: 'base' } },
        { steps: 0, event: { kind: 'freeze', place: 'kube', ms: 110000 } },
        {
          steps: 61,
          event: push('once', { value: 2, more: { base: false, app: true }, dependsOn: false }),
        },
        { steps: 162, event: { kind: 'delete-owner', name: 'base' } },
      ],
    },
  'one Kustomization is deleted by hand, and so is another that the commit leaves out': {
    seed: 4,
    moments: [
      {
        steps: 0,
        event: push('once', { app: false, dependsOn: false }),
      },
      { steps: 21, event: { kind: 'delete-owner', name: 'base' } },
      {
        steps: 58,
        event: push('lost', { value: 2, shared: 'none', app: false }),
      },
      { steps: 29, event: { kind: 'delete-owner', name: 'app' } },
    ],
  },
  'a Kustomization is brought while the source moves on, and its build fails at the next commit': {
    seed: 9,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 2, shared: 'base', app: false }),
      },
      { steps: 84, event: { kind: 'delete', name: 'shared' } },
      { steps: 136, event: push('twice', { value: 2 }) },
      {
        steps: 64,
        event: push('lost', { more: { base: true, app: false }, broken: 'app' }),
      },
      { steps: 27, event: { kind: 'fail', place: 'blobs', after: true, code: 0 } },
    ],
  },
  'an object has moved to a Kustomization whose first apply of it fails': {
    seed: 156,
    moments: [
      {
        steps: 0,
        event: push('once', { more: { base: true, app: false }, dependsOn: false }),
      },
      {
        steps: 115,
        event: push('once', { more: { base: true, app: false }, app: false }),
      },
      {
        steps: 4,
        event: push('lost', { value: 0, shared: 'base', more: { base: true, app: true } }),
      },
      { steps: 68, event: { kind: 'fail', place: 'kube', after: true, code: 500 } },
      {
        steps: 136,
        event: push('once', { value: 2, shared: 'base', more: { base: false, app: true }, dependsOn: false }),
      },
      { steps: 42, event: { kind: 'freeze', place: 'kube', ms: 100000 } },
    ],
  },
  'somebody deletes an object that one Kustomization has left to another, which lets it go': {
    seed: 489,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 0, more: { base: true, app: true }, dependsOn: false }),
      },
      { steps: 152, event: { kind: 'fail', place: 'blobs', after: true, code: 409 } },
      { steps: 3, event: { kind: 'delete', name: 'shared' } },
    ],
  },
  'a commit of which nobody was told changes nothing while a run for the one before is about to end': {
    seed: 124,
    moments: [
      {
        steps: 0,
        event: push('once', { shared: 'base', more: { base: true, app: true } }),
      },
      {
        steps: 112,
        event: push('lost', { shared: 'base', more: { base: true, app: true } }),
      },
    ],
  },
  'the Kustomization that an object moves to is deleted by hand just as the other one is about to prune it': {
    seed: 27,
    moments: [
      {
        steps: 0,
        event: push('twice', { shared: 'app' }),
      },
      { steps: 127, event: { kind: 'revert', back: 0, hook: 'once' } },
      {
        steps: 107,
        event: push('once', { value: 0, shared: 'base', dependsOn: false }),
      },
      { steps: 38, event: { kind: 'delete-owner', name: 'app' } },
    ],
  },
  'a push brings a branch back while the run for its first push finds the commit of which nobody was told': {
    seed: 6,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 0, shared: 'base', broken: 'base' }),
      },
      {
        steps: 90,
        event: push('lost', { value: 0, shared: 'base', dependsOn: false }),
      },
      { steps: 46, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a commit is pending again just as another worker counts it as ended, and is overtaken then': {
    seed: 19,
    moments: [
      {
        steps: 0,
        event: push('lost', { shared: 'base', more: { base: false, app: true } }),
      },
      {
        steps: 134,
        event: push('lost', { value: 0, shared: 'base', dependsOn: false }),
      },
      {
        steps: 51,
        event: push('twice', { shared: 'none', more: { base: false, app: true }, dependsOn: false }),
      },
      { steps: 54, event: { kind: 'delete-owner', name: 'base' } },
    ],
  },
  'a push is delivered again, and announced anew just as a run for its first delivery ends it': {
    seed: 2147483645,
    moments: [
      {
        steps: 0,
        event: push('twice', { shared: 'base', dependsOn: false }),
      },
      { steps: 80, event: { kind: 'die', place: 'kube', after: false } },
      {
        steps: 3,
        event: push('lost', { value: 0, shared: 'base', dependsOn: false }),
      },
    ],
  },
  'a push moves a Kustomization on that a run for the one before is about to begin with': {
    seed: 2029707213,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 0, shared: 'base', more: { base: false, app: true }, dependsOn: false }),
      },
      {
        steps: 69,
        event: push('twice', { shared: 'base', broken: 'app' }),
      },
    ],
  },
  'a Kustomization is made anew, and fails, before the commit that it is at has been told of': {
    seed: 3,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 0, shared: 'base', more: { base: true, app: false }, dependsOn: false }),
      },
      {
        steps: 97,
        event: push('lost', { shared: 'base', dependsOn: false, broken: 'base' }),
      },
      { steps: 0, event: { kind: 'delete-owner', name: 'base' } },
    ],
  },
  'an object moves from a Kustomization that is suspended to one that the same commit leaves out': {
    seed: 0,
    moments: [
      {
        steps: 0,
        event: push('once', { value: 0, shared: 'base', dependsOn: false }),
      },
      { steps: 31, event: { kind: 'suspend', name: 'base' } },
      {
        steps: 28,
        event: push('twice', { value: 0, app: false, dependsOn: false }),
      },
    ],
  },
  'a Kustomization is deleted by hand whose object another one holds that was cut off, and has come to wait for it':
    {
      seed: 0,
      moments: [
        { steps: 0, event: push('once', { value: 0 }) },
        {
          steps: 97,
          event: push('once', { value: 0, shared: 'base', dependsOn: false }),
        },
        { steps: 90, event: { kind: 'freeze', place: 'table', ms: 300000 } },
        { steps: 0, event: { kind: 'delete-owner', name: 'base' } },
        {
          steps: 1,
          event: push('once', { value: 0, shared: 'base' }),
        },
      ],
    },
  'a Kustomization is deleted by hand while one that waits for it still holds an object that is gone': {
    seed: 0,
    moments: [
      { steps: 0, event: push('once', { value: 0, dependsOn: false }) },
      { steps: 27, event: { kind: 'die', place: 'queue', after: true } },
      { steps: 66, event: push('once', { value: 0, dependsOn: false }) },
      { steps: 36, event: { kind: 'delete-owner', name: 'app' } },
      { steps: 32, event: { kind: 'delete', name: 'shared' } },
    ],
  },
  'a Kustomization is deleted by hand whose parent has failed to bring that another one does not wait for it any more':
    {
      seed: 1328994841,
      moments: [
        { steps: 0, event: push('once', { value: 0, dependsOn: false }) },
        { steps: 138, event: push('lost', { value: 0, shared: 'base', dependsOn: false }) },
        { steps: 0, event: { kind: 'delete-owner', name: 'base' } },
      ],
    },
  'a worker wakes up in front of the status of a source after its lease has run out': {
    seed: 559877634,
    moments: [
      {
        steps: 0,
        event: push('once', { shared: 'none', app: false }),
      },
      { steps: 40, event: { kind: 'freeze', place: 'kube', ms: 100000 } },
      { steps: 146, event: { kind: 'duplicate' } },
      { steps: 103, event: { kind: 'die', place: 'kube', after: false } },
      { steps: 9, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a commit brings back elsewhere what the run for the commit before is about to delete': {
    seed: 1137916687,
    moments: [
      {
        steps: 0,
        event: push('once', { shared: 'none', more: { base: true, app: false }, dependsOn: false }),
      },
      { steps: 59, event: { kind: 'duplicate' } },
      { steps: 129, event: { kind: 'edit', name: 'base' } },
      { steps: 82, event: push('twice', { more: { base: true, app: false } }) },
    ],
  },
  'a worker wakes up in front of a deletion that a newer commit has taken back, after another one has applied that':
    {
      seed: 10030584,
      moments: [
        {
          steps: 0,
          event: push('once', { shared: 'base', more: { base: true, app: false }, dependsOn: false }),
        },
        {
          steps: 82,
          event: push('twice', {
            value: 0,
            shared: 'base',
            more: { base: false, app: true },
            dependsOn: false,
          }),
        },
        { steps: 67, event: { kind: 'fail', place: 'source', after: false, code: 409 } },
        { steps: 139, event: { kind: 'freeze', place: 'kube', ms: 100000 } },
        { steps: 18, event: { kind: 'wait', ms: 70000 } },
      ],
    },
  'a worker is frozen after it has deleted, and wakes up to write all but the inventory as another one takes over':
    {
      seed: 57417837,
      moments: [
        {
          steps: 0,
          event: push('twice', {
            value: 0,
            shared: 'none',
            more: { base: false, app: true },
            app: false,
            dependsOn: false,
          }),
        },
        { steps: 123, event: { kind: 'revert', back: 0, hook: 'once' } },
        { steps: 126, event: { kind: 'freeze', place: 'table', ms: 110000 } },
        { steps: 22, event: { kind: 'duplicate' } },
      ],
    },
  'an object that a commit takes out of everywhere is deleted by hand while two Kustomizations still hold it':
    {
      seed: 0,
      moments: [
        { steps: 0, event: push('once', { value: 0, more: { base: false, app: false }, dependsOn: false }) },
        {
          steps: 117,
          event: push('lost', {
            value: 0,
            shared: 'none',
            more: { base: false, app: false },
            dependsOn: false,
          }),
        },
        { steps: 132, event: { kind: 'delete', name: 'shared' } },
      ],
    },
};
