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
    [
      '{{ addf 0.1 0.2 }} {{ subf 3 0.5 1 }} {{ mulf 1.1 3 }} {{ divf 1 4 }} {{ add1f 1.5 }} {{ maxf 1 2.5 }} {{ minf 1 2.5 }} {{ biggest 1 3 2 }}',
      '0.3 1.5 3.3 0.25 2.5 2.5 1 3',
    ],
    ['{{ round 123.5555 3 }} {{ round 2.5 0 }} {{ round 1.005 2 }} {{ round 0.3 0 0.2 }}', '123.556 3 1 1'],
    [
      '{{ pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" 3) }} {{ dig "a" "b" "none" (dict "a" (dict "b" 1)) }} {{ dig "a" "c" "none" (dict "a" (dict "b" 1)) }}',
      '[1 3] 1 none',
    ],
    [
      '{{ merge (dict "a" 1 "c" (dict "x" 1)) (dict "a" 2 "b" 3 "c" (dict "x" 2 "y" 2)) }} {{ mustMergeOverwrite (dict "a" 1) (dict "a" 0 "b" 3) }}',
      'map[a:1 b:3 c:map[x:1 y:2]] map[a:0 b:3]',
    ],
    [
      '{{ $a := dict "x" 1 }}{{ $b := deepCopy $a }}{{ $_ := set $b "x" 2 }}{{ $a.x }}{{ $b.x }} {{ chunk 2 (list 1 2 3) }} {{ mustAppend (list 1) 2 }}',
      '12 [[1 2] [3]] [1 2]',
    ],
    [
      '{{ (fromJson `{"a":[1,{"b":true}]}`).a }} {{ fromJson "{" | toString }} {{ mustToJson (dict "a" 1) }}',
      '[1 map[b:true]] <nil> {"a":1}',
    ],
    [
      '{{ b32enc "hello" }} {{ b32dec "NBSWY3DP" }} {{ b32enc "a" | b32dec }} {{ adler32sum "Wikipedia" }}',
      'NBSWY3DP hello a 300286872',
    ],
    [
      '{{ $u := urlParse "https://me@git.example.com:8080/a%20b?x=1#top" }}{{ $u.scheme }} {{ $u.userinfo }} {{ $u.host }} {{ $u.hostname }} {{ $u.path }} {{ $u.query }} {{ $u.fragment }} {{ urlJoin $u }}',
      'https me git.example.com:8080 git.example.com /a b x=1 top https://me@git.example.com:8080/a%20b?x=1#top',
    ],
    [
      '{{ abbrevboth 5 10 "1234 5678 9123" }} {{ abbrevboth 2 8 "abcdefghijkl" }} {{ trimall "$" "$5" }} {{ osBase "a/b" }} {{ typeIsLike "int" 1 }} {{ hello }}',
      '...5678... abcde... 5 b true Hello!',
    ],
    ['{{ true }}{{ 0x10 }}{{ 1_000 }}{{ -1.5 }}', 'true161000-1.5'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each([
    ['a\n{{ if true }}', /^line 2: a block is not ended/],
    ['{{ .A', /not closed/],
    ['{{ end }}', /unexpected \{\{end\}\}/],
    ['{{ nosuch 1 }}', /the function "nosuch" does not exist; there are those of Go templates and of Sprig/],
    ['{{ regexMatch "(" "a" }}', /a regular expression is invalid: missing closing \)/],
    ['{{ regexMatch "(?=a)" "a" }}', /a regular expression is invalid/],
    ['{{ regexMatch "((a{100}){100}){100}" "a" }}', /a regular expression is invalid/],
    ['{{ env "HOME" }}', /the function "env" is left out .* depends on when or where it runs/],
    ['{{ now }}', /the function "now" is left out/],
    ['{{ genCA "a" 1 }}', /the function "genCA" is left out/],
    ['{{ constructor }}', /the function "constructor" does not exist/],
    ['{{ mustFromJson "{" }}', /no JSON/],
    ['{{ b32dec "1" }}', /no base32/],
    ['{{ chunk 0 (list 1) }}', /size of at least 1/],
    ['{{ divf 1 0 }}', /division by zero/],
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
      '{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ deepCopy $x }}',
      '{{ $x := dict "a" "b" }}{{ range until 300 }}{{ $x = dict "x" $x "y" $x }}{{ end }}{{ deepCopy $x }}',
      '{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ merge $x (deepCopy (dict "x" (dict "x" $x))) }}',
      '{{ printf "%999999999d" 1 }}{{ range until 9999 }}{{ printf "%9999d" 1 }}{{ end }}',
    ])
      expect(problem(template)).toMatch(/^(line \d+: )?(templates call|.*too (many|much|long|deeply))/);
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
