import { describe, expect, it } from 'vitest';
import { settersOf } from '../../../lib/image/setters.ts';
import { type Objection, type Update, updateFiles } from '../../../lib/image/update-files.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const setters = settersOf([
  { namespace: 'apps', name: 'web', image: { name: 'ghcr.io/acme/web', tag: '1.2.4' } },
  { namespace: 'apps', name: 'pinned', image: { name: 'ghcr.io/acme/pinned', tag: 'v2', digest: DIGEST } },
  { namespace: 'apps', name: 'number', image: { name: 'acme/number', tag: '1.10' } },
]);

function update(files: Record<string, string | Buffer>, objection?: Objection): Update {
  const list = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  return updateFiles(list, setters, objection);
}

/** What a YAML file becomes. */
function edited(text: string): string {
  const { files } = update({ 'a.yaml': text });
  return Buffer.from(files.get('a.yaml') ?? text).toString('utf8');
}

describe('marked values', () => {
  it('take the whole image, its name, its tag or its digest, as the marker says', () => {
    expect(edited('image: old:1 # {"$imagepolicy": "apps:web"}\n')).toBe(
      'image: ghcr.io/acme/web:1.2.4 # {"$imagepolicy": "apps:web"}\n',
    );
    const values = [
      'image:',
      '  repository: old # {"$imagepolicy": "apps:pinned:name"}',
      '  tag: old # {"$imagepolicy": "apps:pinned:tag"}',
      '  digest: old # {"$imagepolicy": "apps:pinned:digest"}',
      'full: old # {"$imagepolicy": "apps:pinned"}',
      '',
    ].join('\n');
    const expected = values
      .replace('repository: old', 'repository: ghcr.io/acme/pinned')
      .replace('tag: old', 'tag: v2')
      .replace('digest: old', `digest: ${DIGEST}`)
      .replace('full: old', `full: ghcr.io/acme/pinned:v2@${DIGEST}`);
    expect(edited(values)).toBe(expected);
  });

  it('become empty where a digest is marked and none is known', () => {
    expect(edited(`digest: ${DIGEST} # {"$imagepolicy": "apps:web:digest"}\n`)).toBe(
      'digest: "" # {"$imagepolicy": "apps:web:digest"}\n',
    );
  });

  it('keep quotes, anchors, tags, indentation, line ends and a byte order mark', () => {
    const text = [
      '\ufeff# a comment',
      'a:   \'old\'   # {"$imagepolicy": "apps:web:tag"}',
      'b: &x "old"\t# {"$imagepolicy": "apps:web:tag"}',
      'c: !!str old # {"$imagepolicy":"apps:web:tag"}',
      'd: *x',
      '---',
      'e:',
      '      - { name: x, newTag: old } # nothing',
      '      - old # {"$imagepolicy": "apps:web:tag"}',
      '...',
    ].join('\r\n');
    expect(edited(text)).toBe(text.replaceAll('old', '1.2.4').replace('newTag: 1.2.4', 'newTag: old'));
  });

  it('are quoted where another parser would not read them as text', () => {
    expect(edited('tag: v1 # {"$imagepolicy": "apps:number:tag"}')).toBe(
      'tag: "1.10" # {"$imagepolicy": "apps:number:tag"}',
    );
    expect(edited('tag: \'1\' # {"$imagepolicy": "apps:number:tag"}')).toBe(
      'tag: \'1.10\' # {"$imagepolicy": "apps:number:tag"}',
    );
  });

  it('may stand in flow style, over several lines, below the marker, or be missing', () => {
    expect(edited('{\n  image: old, # {"$imagepolicy": "apps:web"}\n  b: c }\n')).toContain(
      'image: ghcr.io/acme/web:1.2.4, #',
    );
    expect(edited('list:\n# {"$imagepolicy": "apps:web"}\n- old\n')).toContain(
      '\n- ghcr.io/acme/web:1.2.4\n',
    );
    expect(edited('a:\n  # {"$imagepolicy": "apps:web"}\n  old\n')).toContain('\n  ghcr.io/acme/web:1.2.4\n');
    expect(edited('a: # {"$imagepolicy": "apps:web:tag"}\nb: c\n')).toBe(
      'a: 1.2.4 # {"$imagepolicy": "apps:web:tag"}\nb: c\n',
    );
    expect(edited('a: "o\n  ld" # {"$imagepolicy": "apps:web:tag"}\n')).toContain('a: "1.2.4" #');
  });

  it('are only those whose comment is the marker and nothing else', () => {
    for (const line of [
      'a: old # see {"$imagepolicy": "apps:web"}',
      'a: old # {"$imagepolicy": "apps:web"} please',
      'a: old # {"$imagepolicy": 1}',
      'a: old # ["$imagepolicy"]',
      'a: \'old # {"$imagepolicy": "apps:web"}\'',
      'a: |\n  old # {"$imagepolicy": "apps:web"}',
      '# {"$imagepolicy": "apps:web"}\na: old',
      'a: old # {"$imagepolicy": "apps:other"}',
      'a: old # {"$imagepolicy": "elsewhere:web"}',
    ])
      expect(edited(`${line}\n`)).toBe(`${line}\n`);
  });
});

describe('an update of files', () => {
  it('tells each change with its file, its object and what set it', () => {
    const deployment =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: apps}\nspec:\n  image: old:1 # {"$imagepolicy": "apps:web"}\n';
    const { changes } = update({ 'deep/web.yml': deployment });
    expect(changes).toEqual([
      {
        file: 'deep/web.yml',
        object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'apps' },
        oldValue: 'old:1',
        newValue: 'ghcr.io/acme/web:1.2.4',
        setter: 'apps:web',
        policy: 'apps:web',
      },
    ]);
  });

  it('names the item of a List as the object', () => {
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: one}\n  image: x # {"$imagepolicy": "apps:web"}\n';
    expect(update({ 'a.yaml': list }).changes[0]?.object.name).toBe('one');
  });

  it('leaves broken files alone and names them, and goes on with the others', () => {
    const marker = '# {"$imagepolicy": "apps:web"}';
    const { files, problems } = update({
      'chart/templates/a.yaml': `image: {{ .Values.image }} ${marker}\n  b: [\n`,
      'latin.yaml': Buffer.from([...Buffer.from(`a: x ${marker}\nb: `), 0xe9, 10]),
      'good.yaml': `a: x ${marker}\n`,
    });
    expect([...files.keys()]).toEqual(['good.yaml']);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^chart\/templates\/a\.yaml is left alone: .+/);
    expect(problems[1]).toMatch(/^latin\.yaml is left alone: it is not UTF-8$/);
  });

  it('looks only at files that Flux looks at', () => {
    const text = 'a: x # {"$imagepolicy": "apps:web"}\n';
    const { files } = update({
      'a.yaml': text,
      'b.yml': text,
      Kustomization: text,
      'c.json': text,
      'd.yaml.tpl': text,
      MyKustomization: text,
    });
    expect([...files.keys()]).toEqual(['a.yaml', 'b.yml', 'Kustomization']);
  });

  it('says which markers have no effect, and why', () => {
    const { problems } = update({
      'a.yaml':
        'a: |- # {"$imagepolicy": "apps:web"}\n  x\nb: &y z\nc: *y # {"$imagepolicy": "apps:web"}\nd: {e: f} # {"$imagepolicy": "apps:web"}\n',
    });
    expect(problems).toEqual([
      'a.yaml:1: the marker apps:web has no effect: a value of several lines cannot be set; write it on one line',
      'a.yaml:4: the marker apps:web has no effect: the value is an alias; mark the place it refers to',
      'a.yaml:5: the marker apps:web has no effect: there is no single value before it on its line',
    ]);
  });

  it('sets name, tag and digest of one place together or not at all', () => {
    const text = [
      'one:',
      '  tag: a # {"$imagepolicy": "apps:pinned:tag"}',
      '  digest: a # {"$imagepolicy": "apps:pinned:digest"}',
      'two:',
      '  tag: b # {"$imagepolicy": "apps:pinned:tag"}',
      '  digest: b # {"$imagepolicy": "apps:pinned:digest"}',
      '',
    ].join('\n');
    const { files, kept } = update({ 'a.yaml': text }, (proposals) =>
      proposals.some(({ scalar }) => scalar.value === 'a') ? 'not this one' : undefined,
    );
    expect(Buffer.from(files.get('a.yaml') ?? '').toString()).toBe(
      text.replace('tag: b', 'tag: v2').replace('digest: b', `digest: ${DIGEST}`),
    );
    expect(kept).toEqual([{ file: 'a.yaml', line: 2, policy: 'apps:pinned', why: 'not this one' }]);
  });

  it('knows a place again when lines and documents are put before it', () => {
    const object =
      'kind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: x # {"$imagepolicy": "apps:web"}\n';
    const [before] = update({ 'a.yaml': object }).places;
    const moved = `# new\nkind: Service\nmetadata: {name: a}\n---\n${object.replace('  - name: web', '  - name: other\n  - name: web')}`;
    expect(update({ 'a.yaml': moved }).places).toEqual([before]);
    expect(before?.upToDate).toBe(false);
  });

  it('does not choke on deep nesting', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)} # {"$imagepolicy": "apps:web"}\n`;
    expect(
      update({ 'deep.yaml': deep, 'good.yaml': 'a: x # {"$imagepolicy": "apps:web"}\n' }).files.size,
    ).toBe(1);
  });

  it('does not unfold aliases that multiply, refer to themselves or are merged, and sets what is marked beside them', () => {
    const marked = (image: string) => `image: ${image} # {"$imagepolicy": "apps:web"}\n`;
    const levels = Array.from(
      { length: 30 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]\n`,
    );
    const odd: Record<string, string> = {
      bomb: `l0: &l0 x\n${levels.join('')}`,
      merges: `a: &a {b: c}\nd:\n  <<: [${Array(2_000).fill('*a').join(', ')}]\n`,
      cycle: 'a: &a [*a]\n',
      names: '__proto__: {polluted: 1}\nconstructor: 1\n',
      tags: 'a: !!js/function "x"\nyes: 0o7\n1e3: no\n',
    };
    const files = Object.fromEntries(
      Object.entries(odd).map(([name, text]) => [`${name}.yaml`, text + marked('x')]),
    );
    const began = performance.now();
    const result = update(files);
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const [name, text] of Object.entries(odd))
      expect(Buffer.from(result.files.get(`${name}.yaml`) ?? '').toString(), name).toBe(
        text + marked('ghcr.io/acme/web:1.2.4'),
      );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
