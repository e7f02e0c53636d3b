import { describe, expect, it } from 'vitest';
import { objectionsOf, type PolicyState } from '../../../lib/image/objections.ts';
import { type ChosenImage, settersOf } from '../../../lib/image/setters.ts';
import { updateFiles } from '../../../lib/image/update-files.ts';

const SEMVER = { policy: { semver: { range: '1.x' } } };

/** What a file becomes, and why not. */
function update(text: string, image: ChosenImage, state: Partial<PolicyState> = {}) {
  const files = [{ path: 'a.yaml', data: Buffer.from(text) }];
  const setters = settersOf([{ namespace: 'apps', name: 'web', image }]);
  const states = new Map([['apps:web', { image, selection: SEMVER, hasHeld: () => false, ...state }]]);
  const result = updateFiles(files, setters, objectionsOf(states));
  return { ...result, text: Buffer.from(result.files.get('a.yaml') ?? text).toString() };
}

const full = (value: string) => `image: ${value} # {"$imagepolicy": "apps:web"}\n`;
const tag = (value: string) => `tag: ${value} # {"$imagepolicy": "apps:web:tag"}\n`;

describe('an image', () => {
  it('never goes back to an older version by itself', () => {
    const older = { name: 'acme/web', tag: '1.2.3' };
    expect(update(full('acme/web:1.2.4'), older).text).toBe(full('acme/web:1.2.4'));
    expect(update(tag('1.2.4'), older).kept[0]?.why).toBe(
      '1.2.4 is newer than 1.2.3, which apps:web has chosen; versions never go back by themselves',
    );
    expect(
      update(full('registry:5000/acme/web:1.2.4@sha256:ab'), { ...older, name: 'registry:5000/acme/web' })
        .kept,
    ).toHaveLength(1);
  });

  it('goes back where the policy itself says so', () => {
    // Out of its range, in its own order, or another image.
    expect(update(tag('2.0.0'), { name: 'acme/web', tag: '1.2.3' }).text).toBe(tag('1.2.3'));
    const desc = { policy: { numerical: { order: 'desc' as const } } };
    expect(update(tag('"20"'), { name: 'acme/web', tag: '3' }, { selection: desc }).text).toBe(tag('"3"'));
    expect(update(full('acme/web:1.2.4'), { name: 'acme/other', tag: '1.2.3' }).text).toBe(
      full('acme/other:1.2.3'),
    );
    expect(update(tag('latest'), { name: 'acme/web', tag: '1.2.3' }).text).toBe(tag('1.2.3'));
  });

  it('follows the order of what the policy extracts', () => {
    const selection = {
      policy: { numerical: { order: 'asc' as const } },
      filterTags: { pattern: '^main-[0-9a-f]+-(?P<ts>[0-9]+)$', extract: '$ts' },
    };
    expect(update(tag('main-ff-100'), { name: 'w', tag: 'main-00-200' }, { selection }).text).toBe(
      tag('main-00-200'),
    );
    expect(update(tag('main-00-200'), { name: 'w', tag: 'main-ff-100' }, { selection }).kept).toHaveLength(1);
    expect(update(tag('feature-1'), { name: 'w', tag: 'main-ff-100' }, { selection }).text).toBe(
      tag('main-ff-100'),
    );
  });

  it('takes a new digest of the same tag', () => {
    const digest = `sha256:${'b'.repeat(64)}`;
    const image = { name: 'acme/web', tag: '1.2.3', digest };
    expect(update(full('acme/web:1.2.3@sha256:aa'), image).text).toBe(full(`acme/web:1.2.3@${digest}`));
  });

  it('that was taken back stays so until there is a newer one', () => {
    const image = { name: 'acme/web', tag: '1.2.4' };
    const [place] = update(full('acme/web:1.2.4'), image).places;
    expect(place?.upToDate).toBe(true);
    const hasHeld = (key: string) => key === place?.key;
    const { kept, text } = update(full('acme/web:1.2.3'), image, { hasHeld });
    expect(text).toBe(full('acme/web:1.2.3'));
    expect(kept[0]?.why).toBe('acme/web:1.2.4 was taken back there; a newer image is waited for');
    // Another place has never held it.
    expect(
      update(`# moved\nother: {}\nx:\n  ${full('acme/web:1.2.3')}`, image, { hasHeld }).changes,
    ).toHaveLength(1);
  });

  it('keeps name, tag and digest of one place in step', () => {
    const text = 'a: x # {"$imagepolicy": "apps:web:digest"}\nb: 1.9.0 # {"$imagepolicy": "apps:web:tag"}\n';
    const { files, kept } = update(text, { name: 'acme/web', tag: '1.2.3', digest: 'sha256:1' });
    expect(files.size).toBe(0);
    expect(kept).toHaveLength(1);
  });
});
