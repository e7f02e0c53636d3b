import type { Content } from './repository.ts';
import type { Story } from './story.ts';

const CONTENT: Content = {
  value: 1,
  shared: 'app',
  more: { base: false, app: false },
  app: true,
  dependsOn: true,
  broken: 'none',
};

/** Stories in which a promise was broken once, by what it was. */
export const TOLD: Readonly<Record<string, Story>> = {
  'the push that comes back to a commit (A → B → A) while the run for B closes what it has overtaken': {
    seed: 28,
    moments: [
      { steps: 0, event: { kind: 'push', content: { ...CONTENT, value: 2 }, hook: 'once' } },
      { steps: 48, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a Kustomization whose run read the source at B, before it was listed at A': {
    seed: 22,
    moments: [
      {
        steps: 0,
        event: {
          kind: 'push',
          content: {
            ...CONTENT,
            value: 2,
            more: { base: true, app: true },
            dependsOn: false,
            broken: 'base',
          },
          hook: 'once',
        },
      },
      { steps: 42, event: { kind: 'revert', back: 1, hook: 'once' } },
    ],
  },
  'a Kustomization that is deleted waits for one that waits for it, for an object that has moved': {
    seed: 4,
    moments: [
      {
        steps: 0,
        event: {
          kind: 'push',
          content: { ...CONTENT, value: 2, more: { base: false, app: true }, app: false },
          hook: 'once',
        },
      },
      { steps: 118, event: { kind: 'push', content: CONTENT, hook: 'once' } },
      { steps: 92, event: { kind: 'die', place: 'kube', after: true } },
      { steps: 39, event: { kind: 'revert', back: 0, hook: 'twice' } },
    ],
  },
  'a push moves on the status of a Kustomization that it does not touch, while its run for the push before is about to end':
    {
      seed: 1773227395,
      moments: [
        {
          steps: 0,
          event: {
            kind: 'push',
            content: {
              ...CONTENT,
              value: 0,
              more: { base: false, app: true },
              app: false,
              broken: 'app',
            },
            hook: 'once',
          },
        },
        { steps: 52, event: { kind: 'tick' } },
        {
          steps: 18,
          event: {
            kind: 'push',
            content: { ...CONTENT, value: 0, shared: 'none', app: false },
            hook: 'once',
          },
        },
      ],
    },
  'the branch comes back to a commit unannounced, and a Kustomization is at it before the source has told of it':
    {
      seed: 1937474659,
      moments: [
        {
          steps: 0,
          event: { kind: 'push', content: { ...CONTENT, value: 2 }, hook: 'once' },
        },
        { steps: 100, event: { kind: 'revert', back: 2, hook: 'lost' } },
        { steps: 135, event: { kind: 'die', place: 'queue', after: false } },
      ],
    },
  'a sweep has listed the source before the branch came back to a commit unannounced': {
    seed: 392816492,
    moments: [
      {
        steps: 0,
        event: {
          kind: 'push',
          content: { ...CONTENT, value: 2, shared: 'none', more: { base: true, app: false }, app: false },
          hook: 'twice',
        },
      },
      { steps: 147, event: { kind: 'delete', name: 'base-more' } },
      { steps: 147, event: { kind: 'revert', back: 2, hook: 'lost' } },
    ],
  },
  'a Kustomization that is deleted by hand does not look before its holder has applied what depends on it no longer':
    {
      seed: 857481511,
      moments: [
        {
          steps: 0,
          event: {
            kind: 'push',
            content: { ...CONTENT, value: 2, shared: 'none', more: { base: true, app: true }, app: false },
            hook: 'twice',
          },
        },
        { steps: 111, event: { kind: 'delete-owner', name: 'base' } },
        { steps: 0, event: { kind: 'freeze', place: 'kube', ms: 110000 } },
        {
          steps: 79,
          event: {
            kind: 'push',
            content: { ...CONTENT, value: 2, more: { base: false, app: true }, dependsOn: false },
            hook: 'once',
          },
        },
        { steps: 149, event: { kind: 'delete-owner', name: 'base' } },
      ],
    },
  'one Kustomization is deleted by hand, and so is another that the commit leaves out': {
    seed: 796000211,
    moments: [
      {
        steps: 0,
        event: { kind: 'push', content: { ...CONTENT, app: false, dependsOn: false }, hook: 'once' },
      },
      { steps: 11, event: { kind: 'delete-owner', name: 'base' } },
      {
        steps: 61,
        event: { kind: 'push', content: { ...CONTENT, value: 2, shared: 'none', app: false }, hook: 'lost' },
      },
      { steps: 45, event: { kind: 'delete-owner', name: 'app' } },
    ],
  },
  'a Kustomization is brought while the source moves on, and its build fails at the next commit': {
    seed: 1809850599,
    moments: [
      {
        steps: 0,
        event: { kind: 'push', content: { ...CONTENT, value: 2, shared: 'base', app: false }, hook: 'once' },
      },
      { steps: 98, event: { kind: 'delete', name: 'shared' } },
      { steps: 128, event: { kind: 'push', content: { ...CONTENT, value: 2 }, hook: 'twice' } },
      {
        steps: 75,
        event: {
          kind: 'push',
          content: { ...CONTENT, more: { base: true, app: false }, broken: 'app' },
          hook: 'lost',
        },
      },
      { steps: 16, event: { kind: 'fail', place: 'blobs', after: true, code: 0 } },
    ],
  },
};
