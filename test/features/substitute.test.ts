import { afterAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { type kustomization, renderFiles, testEngine } from '../support/render.ts';

const engine = testEngine();
afterAll(() => engine.close());

/** `${text}`, without which the linter takes these texts for forgotten templates. */
const v = (text: string) => `$\{${text}}`;

/** A custom resource whose `spec.value` is given as YAML. */
const manifest = (value: string, head = '') =>
  `apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing\n${head}spec:\n  value: ${value}\n`;

type PostBuild = NonNullable<ReturnType<typeof kustomization>['spec']['postBuild']>;

async function objectOf(
  text: string,
  variables: Record<string, string>,
  postBuild: PostBuild = {},
): Promise<KubernetesObject> {
  const { objects } = await renderFiles(engine, { 'thing.yaml': text }, { postBuild }, { variables });
  return objects[0] as KubernetesObject;
}

async function specValueOf(
  value: string,
  variables: Record<string, string>,
  postBuild: PostBuild = {},
): Promise<unknown> {
  const { spec } = await objectOf(manifest(value), variables, postBuild);
  return (spec as { value: unknown }).value;
}

const variables = {
  name: 'world',
  path: '/a/b/c.txt',
  version: '1.2.3',
  empty: '',
  CamelCase: 'Abc',
  _x9: 'ok',
};

describe('a variable', () => {
  test.each([
    [v('name'), 'world'],
    [`hello-${v('name')}`, 'hello-world'],
    [`${v('name')}-${v('name')}`, 'world-world'],
    [v('_x9'), 'ok'],
    ['$name', '$name'],
    ['$', '$'],
    ['cost: 5$'.replace(': ', ''), 'cost5$'],
    [`$${v('name')}`, v('name')],
    ['$$name', '$name'],
    [v('unknown:=fallback'), 'fallback'],
    [v('unknown:-fallback'), 'fallback'],
    [v('unknown=fallback'), 'fallback'],
    [v('name:=fallback'), 'world'],
    [v('empty:=fallback'), 'fallback'],
    [`x${v('empty')}y`, 'xy'],
    [`x${v('unknown:=')}y`, 'xy'],
    [v(`unknown:=${v('name')}`), 'world'],
    [v(`unknown:=${v('other:=deep')}`), 'deep'],
    [v('name:1:3'), 'orl'],
    [v('name:2'), 'rld'],
    [v('#name'), 5],
    [v('name^'), 'World'],
    [v('name^^'), 'WORLD'],
    [v('CamelCase,'), 'abc'],
    [v('CamelCase,,'), 'abc'],
    [v('name/o/0'), 'w0rld'],
    [v('path//\\//_'), '_a_b_c.txt'],
    [v('path#*/'), 'a/b/c.txt'],
    [v('path##*/'), 'c.txt'],
    [v('path%.*'), '/a/b/c'],
    [v('path%%/*'), null],
    [v('name/#wo/x'), 'xrld'],
    [v('name/%ld/x'), 'worx'],
  ])('%s becomes %j', async (text, expected) => {
    expect(await specValueOf(text, variables)).toEqual(expected);
  });

  test.each([
    ['80', 80],
    ['1.5', 1.5],
    ['true', true],
    ['yes', true],
    ['null', null],
    ['1e3', 1000],
    ['0777', 511],
    ['2024-01-02', '2024-01-02'],
    ['[1, 2]', [1, 2]],
    ['{a: b}', { a: 'b' }],
  ])('whose value is %s is read as YAML, unless the variable stands in a block', async (value, expected) => {
    expect(await specValueOf(v('x'), { x: value })).toEqual(expected);
    expect(await specValueOf(`|\n    ${v('x')}`, { x: value })).toBe(`${value}\n`);
  });

  test('in quotes stays a text, when kustomize needs the quotes too', async () => {
    // kustomize drops quotes that YAML does not need, so that Flux users write them into the value or use a block.
    expect(await specValueOf(`"${v('x')}"`, { x: '80' })).toBe(80);
    expect(await specValueOf(`|\n    ${v('x')}`, { x: '80' })).toBe('80\n');
    expect(await specValueOf(v('x'), { x: '"80"' })).toBe('80');
  });

  test('loses its line breaks', async () => {
    expect(await specValueOf(v('x'), { x: 'one\ntwo\n' })).toBe('onetwo');
  });

  test('may stand in names, keys, labels and namespaces', async () => {
    const object = await objectOf(
      `apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing-${v('name')}\n  namespace: ${v('name')}\n  labels:\n    ${v('name')}: "${v('name')}"\n`,
      variables,
    );
    expect(object.metadata).toEqual({ name: 'thing-world', namespace: 'world', labels: { world: 'world' } });
  });

  test('with an invalid name is refused', async () => {
    await expect(specValueOf(v('name'), { 'not-valid': 'x', name: 'y' })).rejects.toThrow(
      /"not-valid" must match/,
    );
  });

  test('that is unknown fails the build, naming object and variable', async () => {
    await expect(specValueOf(v('unknown'), variables)).rejects.toThrow(/Thing\/thing: .*not set.*unknown/);
    await expect(specValueOf(v('unknown^^'), variables)).rejects.toThrow(/unknown/);
  });

  test.each([
    v('name'),
    v('name'.repeat(3)),
    '${',
    v(''),
    v('a b'),
    v('1x'),
    v('unknown-fallback'),
    v('x:'),
    v('x/a'),
  ])('in malformed syntax (%s) never hangs and never passes silently', async (text) => {
    const outcome = await specValueOf(`"${text}"`, variables).catch((error: Error) => error);
    if (outcome instanceof Error) expect(outcome.message).toMatch(/Thing\/thing/);
    else expect([text, 'world']).toContain(outcome);
  });
});

describe('values are kept out of messages:', () => {
  test('a value that breaks the YAML', async () => {
    const failure = specValueOf(v('token'), { token: '"tok-12345678: [' });
    await expect(failure).rejects.toThrow(/Thing\/thing: not YAML any more/);
    await expect(specValueOf(v('token'), { token: '"tok-12345678: [' })).rejects.not.toThrow(/tok-12345678/);
  });
});

describe('substitution', () => {
  const disabled = (where: string) => `  ${where}:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n`;

  test.each(['labels', 'annotations'])('leaves an object alone that says so in its %s', async (where) => {
    const { spec } = await objectOf(manifest(v('name'), disabled(where)), variables);
    expect(spec).toEqual({ value: v('name') });
  });

  test('is off without postBuild', async () => {
    const { objects } = await renderFiles(engine, { 'a.yaml': manifest(v('name')) }, {}, { variables });
    expect(objects[0]?.spec).toEqual({ value: v('name') });
  });

  test('is off without any variable, unless the strategy is Always', async () => {
    expect(await specValueOf(v('x:=1'), {})).toBe(v('x:=1'));
    expect(await specValueOf(v('x:=1'), {}, { substituteStrategy: 'WithVariables' })).toBe(v('x:=1'));
    expect(await specValueOf(v('x:=1'), {}, { substituteStrategy: 'Always' })).toBe(1);
  });

  test('leaves scripts alone that escape their variables or use none with braces', async () => {
    const script = `|\n    for f in $(ls); do echo "$f" $1; done; echo $${v('HOME')}`;
    expect(await specValueOf(script, variables)).toBe(
      `for f in $(ls); do echo "$f" $1; done; echo ${v('HOME')}\n`,
    );
  });

  test('keeps integers beyond 2^53', async () => {
    const object = await objectOf(
      manifest('9007199254740993', `  labels:\n    a: ${v('name')}\n`),
      variables,
    );
    expect(JSON.stringify(object.spec)).toBe('{"value":9007199254740993}');
  });

  test('does not corrupt a CRD that disables it', async () => {
    const crd = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\n${disabled('annotations')}spec:\n  description: use ${v('var')} or ${v('var:=x')}\n`;
    const { spec } = await objectOf(crd, variables);
    expect(spec).toEqual({ description: `use ${v('var')} or ${v('var:=x')}` });
  });

  test('refuses a CRD that would be corrupted, instead of applying it', async () => {
    const crd = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec:\n  description: use ${v('var')}\n`;
    await expect(objectOf(crd, variables)).rejects.toThrow(
      /CustomResourceDefinition\/things\.example\.com: .*var/,
    );
  });

  test('that makes two objects the same is refused', async () => {
    const two = `${manifest('1').replace('name: thing', `name: ${v('name')}`)}---\n${manifest('2').replace('name: thing', 'name: world')}`;
    await expect(objectOf(two, variables)).rejects.toThrow(/Thing\/world occurs twice/);
  });

  test('that turns a name into a number is refused', async () => {
    await expect(
      objectOf(manifest('1').replace('name: thing', `name: ${v('n')}`), { n: '42' }),
    ).rejects.toThrow(/metadata\.name is 42, not a text/);
  });
});
