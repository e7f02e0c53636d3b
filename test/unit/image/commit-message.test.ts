import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitMessage, type MessageData, removedField } from '../../../lib/image/commit-message.ts';
import { TemplateError } from '../../../lib/image/template/template-error.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'apps' };
const data: MessageData = {
  automation: { name: 'images', namespace: 'flux-system' },
  changes: [
    {
      file: 'b.yaml',
      object: web,
      oldValue: 'web:1',
      newValue: 'web:2',
      setter: 'apps:web',
      policy: 'apps:web',
    },
    {
      file: 'a.yaml',
      object: web,
      oldValue: 'web:1',
      newValue: 'web:2',
      setter: 'apps:web',
      policy: 'apps:web',
    },
    {
      file: 'a.yaml',
      object: { apiVersion: 'v1', kind: 'Pod', name: 'one', namespace: '' },
      oldValue: '1.0',
      newValue: '5.0.3',
      setter: 'apps:one:tag',
      policy: 'apps:one',
    },
  ],
  values: { cluster: 'prod' },
};

function render(template: string): string {
  return commitMessage(template, data);
}

function problem(template: string): string {
  try {
    return `made ${JSON.stringify(render(template))}`;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

describe('a commit message', () => {
  it('is that of Flux without a template', () => {
    expect(commitMessage(undefined, data)).toBe('Update from image update automation');
    expect(render('')).toBe('Update from image update automation');
  });

  it('lists files, objects and changes, in order', () => {
    const template = `Update

Automation: {{ .AutomationObject }} ({{ .AutomationObject.Name }} in {{ .AutomationObject.Namespace }})
{{ range $file, $_ := .Changed.FileChanges -}}
- {{ $file }}
{{ end -}}
{{ range $object, $changes := .Changed.Objects -}}
- {{ $object.Kind | lower }} {{ $object.Name }}
{{- range $_, $change := $changes }}
  {{ if contains "5.0.3" $change.NewValue }}{{ $change.OldValue }} -> {{ $change.NewValue }}{{ else }}[skip ci]{{ end -}}
{{ end }}
{{ end -}}
`;
    expect(render(template)).toBe(`Update

Automation: flux-system/images (images in flux-system)
- a.yaml
- b.yaml
- deployment web
  [skip ci]
  [skip ci]
- pod one
  1.0 -> 5.0.3
`);
  });

  it('names each change once under .Changed.Changes, whatever the file', () => {
    expect(render('{{range .Changed.Changes}}{{print .OldValue}} -> {{println .NewValue}}{{end}}')).toBe(
      'web:1 -> web:2\n1.0 -> 5.0.3\n',
    );
  });

  it('knows the values of the object', () => {
    expect(render('for {{ .Values.cluster }}, {{ index .Values "cluster" }}, {{ .Values.other }}')).toBe(
      'for prod, prod, <no value>',
    );
  });

  it('makes the identifier that Gerrit wants, as the documentation of Flux shows', () => {
    const template = `{{- $ChangeId := .AutomationObject -}}
{{- $ChangeId = printf "%s%s" $ChangeId ( .Changed.FileChanges | toString ) -}}
Change-Id: {{ printf "I%s" ( sha256sum $ChangeId | trunc 40 ) }}`;
    expect(render(template)).toMatch(/^Change-Id: I[0-9a-f]{40}$/);
    expect(render('{{ .Changed.Objects | toString }}')).toBe(
      'map[{{{apps/v1 Deployment} {web apps}}}:[{web:1 web:2 apps:web} {web:1 web:2 apps:web}] {{{v1 Pod} {one }}}:[{1.0 5.0.3 apps:one:tag}]]',
    );
  });

  it('says which removed field a template uses', () => {
    for (const [template, expected] of [
      ['{{ range .Updated.Images }}{{ end }}', "the field '.Updated' was removed; use '.Changed'"],
      ['{{ $.Updated }}', "the field '.Updated' was removed; use '.Changed'"],
      ['{{ .Changed.ImageResult.Images }}', /'\.Changed\.ImageResult' was removed/],
    ] as const) {
      const error = catchError(() => render(template));
      expect(removedField(error)).toMatch(expected);
    }
    expect(removedField(catchError(() => render('{{ .Nothing }}')))).toBeUndefined();
    // A branch that is not taken does no harm.
    expect(render('{{ if false }}{{ .Updated }}{{ end }}x')).toBe('x');
  });
});

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the language of templates', () => {
  it.each([
    ['{{ "a\\tb" }}{{ `c\\t` }}{{ \'x\' }}', 'a\tbc\\t120'],
    ['a  {{- 1 -}}  b', 'a1b'],
    ['a {{/* nothing */}} b{{- /* more */ -}} c', 'a  bc'],
    ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}', '2'],
    ['{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}', '1'],
    ['{{ with .Values.none }}x{{ else with .Values.cluster }}{{ . }}{{ else }}y{{ end }}', 'prod'],
    ['{{ if eq 1 2 }}a{{ else if eq "x" "y" "x" }}b{{ else }}c{{ end }}', 'b'],
    [
      '{{ range $i, $e := list 1 2 3 4 }}{{ if eq $e 2 }}{{ continue }}{{ end }}{{ if eq $e 4 }}{{ break }}{{ end }}{{ $i }}{{ end }}',
      '02',
    ],
    ['{{ range list }}x{{ else }}none{{ end }}', 'none'],
    ['{{ range until 3 }}{{ . }}{{ end }}{{ range 2 }}{{ . }}{{ end }}', '01201'],
    ['{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" "a" }}{{ block "b" 1 }}[{{ . }}]{{ end }}', '<a>[1]'],
    ['{{ and 1 0 (fail "x") }}{{ or "" "y" (fail "x") }}{{ not 0 }}', '0ytrue'],
    [
      '{{ printf "%s|%q|%d|%05d|%-4s|%4s|%x|%v|%t|%.2f|%%|%T" "a" "b" 3 42 "c" "d" "hi" (list 1 "x") true 1.5 "z" }}',
      'a|"b"|3|00042|c   |   d|6869|[1 x]|true|1.50|%|string',
    ],
    [
      '{{ printf "%d %s" "a" 1 }} {{ printf "%s" }} {{ printf "a" 1 }}',
      '%!d(string=a) %!s(int=1) %!s(MISSING) a%!(EXTRA int=1)',
    ],
    ['{{ print 1 2 "a" 3 }} {{ len "é" }} {{ slice "hello" 1 3 }}', '1 2a3 2 el'],
    ['{{ "A b" | upper | replace " " "_" | quote }}', '"A_B"'],
    [
      '{{ trimSuffix "-x" "a-x" }} {{ trunc -2 "abc" }} {{ "x" | repeat 3 }} {{ default "d" "" }} {{ ternary 1 2 false }}',
      'a bc xxx d 2',
    ],
    [
      '{{ $d := dict "a" 1 }}{{ $_ := set $d "b" 2 }}{{ $d.b }}{{ hasKey $d "c" }}{{ keys $d | join "," }}',
      '2falsea,b',
    ],
    ['{{ (semver "1.2.3-rc.1").Minor }} {{ semverCompare "^1.2.0" "1.3.0" }}', '2 true'],
    ['{{ splitList ":" "a:b" | last }} {{ base "x/y.yaml" }} {{ "a\\nb" | indent 2 }}', 'b y.yaml   a\n  b'],
    ['{{ add 1 2 | mul 3 }} {{ div 7 2 }} {{ lt 1 2 }} {{ ge "b" "a" }}', '9 3 true true'],
    ['{{ regexMatch "^v1\\\\." "v1.2" }} {{ mustRegexMatch "^v1$" "v1.2" }}', 'true false'],
    [
      '{{ "a1b22" | regexFind "[0-9]+" }} {{ regexFindAll "[0-9]+" "a1b22c3" -1 }} {{ regexFind "x" "a" }}|',
      '1 [1 22 3] |',
    ],
    ['{{ regexFindAll "[0-9]" "123" 2 }} {{ regexFindAll "a*" "baaac" -1 | len }}', '[1 2] 3'],
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's way to name a group
      '{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }} {{ regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W" }}',
      '-W-xxW- ---',
    ],
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's way to name a group
      '{{ regexReplaceAll "(?P<n>x)" "axb" "<${n}$$>" }} {{ regexReplaceAllLiteral "x" "axb" "$1" }}',
      'a<x$>b a$1b',
    ],
    [
      '{{ regexSplit "z+" "pizza" -1 }} {{ regexSplit "" "abc" 2 }} {{ regexSplit "z" "azbzc" 0 | len }}',
      '[pi a] [a bc] 0',
    ],
    ['{{ regexQuoteMeta "1.2.*" }}', '1\\.2\\.\\*'],
    ['{{ true }}{{ 0x10 }}{{ 1_000 }}{{ -1.5 }}', 'true161000-1.5'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each([
    ['a\n{{ if true }}', /^line 2: a block is not ended/],
    ['{{ .A', /not closed/],
    ['{{ end }}', /unexpected \{\{end\}\}/],
    ['{{ nosuch 1 }}', /no function "nosuch"/],
    ['{{ regexMatch "(" "a" }}', /a regular expression is invalid: missing closing \)/],
    ['{{ regexMatch "(?=a)" "a" }}', /a regular expression is invalid/],
    ['{{ regexMatch "((a{100}){100}){100}" "a" }}', /a regular expression is invalid/],
    ['{{ env "HOME" }}', /no function "env"/],
    ['{{ now }}', /no function "now"/],
    ['{{ constructor }}', /no function "constructor"/],
    ['{{ .Values.cluster.x }}', /can't evaluate field x/],
    ['{{ .constructor }}', /can't evaluate field constructor/],
    ['{{ lower 1 }}', /expected a string/],
    ['{{ $x }}', /undefined variable/],
    ['{{ (1 }}', /parenthesis/],
    ['{{ div 1 0 }}', /division by zero/],
    ['{{ break }}', /outside/],
    [`{{ ${'('.repeat(5_000)} }}`, /too many parentheses/],
    ['{{ if 1 }}'.repeat(5_000), /nested too deeply/],
  ])('refuses %.40s', (template, expected) => {
    expect(problem(template)).toMatch(expected);
  });

  it('ends what would never end, or grow without bounds', () => {
    for (const template of [
      '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}',
      '{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}',
      '{{ repeat 1000000000 "x" }}',
      '{{ $x := repeat 100000 "a" }}{{ range until 100 }}{{ $_ := regexMatch "(a?){200}$" $x }}{{ end }}',
      '{{ $x := "xxxxxxxxxx" }}{{ range until 100 }}{{ $x = print $x $x }}{{ end }}',
      '{{ $x := list 1 }}{{ range until 100 }}{{ $x = concat $x $x }}{{ end }}',
      '{{ indent 1000000000 "x" }}',
      '{{ until 1000000000 }}',
      '{{ printf "%999999999d" 1 }}{{ range until 9999 }}{{ printf "%9999d" 1 }}{{ end }}',
    ])
      expect(problem(template)).toMatch(/^(line \d+: )?(templates call|.*too (many|much|long))/);
  });

  it('answers with a message or a TemplateError, whatever stands in it', () => {
    const fragment = fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      '-}}',
      'if',
      'range',
      'else',
      'end',
      ' ',
      '.',
      '$',
      '$x',
      ':=',
      '=',
      '|',
      '(',
      ')',
      '.Changed',
      'Objects',
      'printf',
      '"%s"',
      '`',
      '1',
      '-',
      ',',
      'with',
      '/*',
      '*/',
      'index',
      'dict',
      'list',
      "'a'",
      'nil',
      'text',
      '\n',
      'define "a"',
      'template "a"',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 20 }), (parts) => {
        problem(parts.join(''));
        problem(`{{ ${parts.join(' ')} }}`);
      }),
      { numRuns: 2_000 },
    );
  });
});
