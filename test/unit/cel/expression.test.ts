import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../lib/cel/expression.ts';
import { toCel } from '../../../lib/cel/values.ts';
import { ReconcileError } from '../../../lib/core/errors.ts';

const object = {
  metadata: { name: 'podinfo', generation: 3, labels: { app: 'podinfo' } },
  spec: { replicas: 2, ratio: 0.5, nothing: null },
  status: { phase: 'Bound', replicas: 2, names: ['a', 'b'] },
};

function evaluate(text: string): unknown {
  return compileExpression(text).evaluate(object);
}

describe('compileExpression', () => {
  it.each([
    'spec.replicas + 1 == 3',
    'spec.replicas == status.replicas',
    'spec.replicas == 2.0',
    'spec.ratio < 1.0',
    'spec.nothing == null',
    "has(status.phase) && status.phase in ['Bound', 'Available']",
    '!has(status.other)',
    "status.?other.orValue('x') == 'x'",
    "status.names.exists(n, n == 'a') && size(status.names) == 2",
    "metadata.name.matches('^pod.*$')",
    "metadata.labels.exists(k, k == 'app')",
    "metadata.name.replace('pod', 'x') == 'xinfo'",
    "'aaa'.replace('a', 'b', 2) == 'bba'",
    "metadata.name.charAt(0) == 'p'",
    "metadata.name.upperAscii().startsWith('POD')",
    "'a,b'.split(',')[1] == 'b'",
    "'ghcr.io/acme/app:1.1'.split('/').last().value().split(':').first().value() == 'app'",
    "status.names.first().value() == 'a' && !'x'.split(',').filter(n, n == 'y').last().hasValue()",
    "sets.contains(status.names, ['a'])",
    "sets.equivalent(status.names, ['b', 'a'])",
    "!sets.intersects(status.names, ['c'])",
    "base64.decode('aGk=') == b'hi'",
    "base64.encode(b'hi') == 'aGk='",
    "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')",
    "int('3') == metadata.generation",
  ])('evaluates %s', (text) => {
    expect(evaluate(text)).toBe(true);
  });

  it.each([
    '',
    '   ',
    'a +',
    'a ==== b',
    "'open",
    'a'.repeat(20_000),
    `${'('.repeat(100)}1${')'.repeat(100)}`,
  ])('refuses %j as the user has to change it', (text) => {
    expect(() => compileExpression(text)).toThrow(
      expect.objectContaining({ reason: 'InvalidCELExpression', outcome: 'stall' }),
    );
  });

  it('stops an expression that takes too long, in a loop or in a regular expression', () => {
    const list = Array.from({ length: 3_000 }, (_, index) => index);
    const slow = compileExpression('l.all(a, l.all(b, l.all(c, a + b + c >= 0)))');
    expect(() => slow.evaluate({ l: list })).toThrow(/took longer than/);
    const evil = compileExpression("text.matches('^(a+)+$')");
    expect(() => evil.evaluate({ text: `${'a'.repeat(50)}!` })).toThrow(/took longer than/);
  });

  it('works again after an expression was stopped', () => {
    expect(evaluate('1 + 1 == 2')).toBe(true);
  });

  it('says what type a value has that should be true or false', () => {
    expect(() => compileExpression('spec.replicas').evaluateBoolean(object)).toThrow(/is of type int/);
    expect(() => compileExpression("'text'", { boolean: true })).toThrow(/is of type string/);
  });

  it('reaches nothing of the runtime', () => {
    for (const text of ['constructor', 'metadata.constructor', 'toString', 'process', 'metadata.__proto__']) {
      expect(() => evaluate(text), text).toThrow(ReconcileError);
    }
  });

  it('throws nothing but ReconcileErrors, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab.()[]{}+-*/!&|?:\'",01 \n') }), (text) => {
        try {
          compileExpression(text).evaluate(object);
        } catch (error) {
          expect(error).toBeInstanceOf(ReconcileError);
        }
      }),
    );
  });
});

describe('toCel', () => {
  it('turns whole numbers into integers and leaves the rest', () => {
    expect(toCel({ a: 1, b: 1.5, c: [2, 'x', null, true] })).toEqual({
      a: 1n,
      b: 1.5,
      c: [2n, 'x', null, true],
    });
  });

  it('loses nothing of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const back = JSON.parse(
          JSON.stringify(toCel(value), (_key, member: unknown) =>
            typeof member === 'bigint' ? Number(member) : member,
          ),
        );
        expect(back).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
